// From logits to a character: the rules of the exported model, for a text that is drawn here step by step.

/** Probabilities of logits; the first ids, that of the unknown character among them, are never written and have none. */
export function probabilities(logits, temperature, reserved = 1) {
  const scaled = logits.map((value, id) => (id >= reserved ? value / temperature : -Infinity));
  const most = Math.max(...scaled.filter((value) => Number.isFinite(value)));
  const mass = scaled.map((value) => Math.exp(value - most));
  const sum = mass.reduce((total, value) => total + value, 0);
  return mass.map((value) => value / sum);
}

/** The likeliest ids with their probabilities, whatever the rules of drawing are. */
export function likeliest(logits, count, reserved = 1) {
  return probabilities(logits, 1, reserved).map((value, id) => [id, value]).sort((a, b) => b[1] - a[1]).slice(0, count);
}

/** An id drawn by temperature, then among the top_k likeliest, then among those that reach top_p together. */
export function drawn(logits, { temperature, top_k, top_p }, random, reserved = 1) {
  if (temperature === 0) return likeliest(logits, 1, reserved)[0][0];
  let left = probabilities(logits, temperature, reserved).map((value, id) => [id, value]).slice(reserved).sort((a, b) => b[1] - a[1]);
  if (top_k > 0) left = left.slice(0, top_k);
  const sum = left.reduce((total, [, value]) => total + value, 0);
  let reached = 0;
  left = left.filter(([, value], place) => {
    const kept = place === 0 || reached < top_p * sum;
    reached += value;
    return top_p >= 1 || kept;
  });
  let number = random() * left.reduce((total, [, value]) => total + value, 0);
  for (const [id, value] of left) {
    number -= value;
    if (number < 0) return id;
  }
  return left.at(-1)[0];
}
