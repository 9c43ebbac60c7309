// Soft plucked tones, of a list of notes or of keys as they are held.

const RELEASE = 0.15; // seconds in which a tone dies away

/** Plays notes, so many beats a second. */
export function synthesiser(beatsASecond) {
  const held = new Map();
  let context = null, out = null;

  const begin = () => {
    context ??= new AudioContext();
    context.resume();
    return new GainNode(context, { gain: 0.18 });
  };
  const tone = (key, loudness, at) => {
    const oscillator = new OscillatorNode(context, { type: "triangle", frequency: 440 * 2 ** ((key - 69) / 12) });
    loudness.gain.setValueAtTime(0, at);
    loudness.gain.linearRampToValueAtTime(1, at + 0.015);
    oscillator.connect(loudness);
    oscillator.start(at);
    return oscillator;
  };
  const stop = () => {
    out?.disconnect();
    out = null;
  };
  return {
    stop,
    /** Plays notes from now on, instead of those that sound. */
    play(notes) {
      stop();
      out = begin();
      out.connect(context.destination);
      for (const { key, from, to } of notes) {
        const at = context.currentTime + 0.05 + from / beatsASecond, end = at + (to - from) / beatsASecond + RELEASE;
        const loudness = new GainNode(context, { gain: 0 });
        tone(key, loudness, at).stop(end);
        loudness.gain.exponentialRampToValueAtTime(0.01, end);
        loudness.connect(out);
      }
    },
    /** A key sounds until it is released. */
    press(key) {
      const loudness = begin();
      loudness.connect(context.destination);
      const own = new GainNode(context, { gain: 0 });
      own.connect(loudness);
      held.set(key, { oscillator: tone(key, own, context.currentTime), gain: own.gain });
    },
    release(key) {
      const sounding = held.get(key);
      held.delete(key);
      sounding?.gain.setTargetAtTime(0, context.currentTime, RELEASE / 3);
      sounding?.oscillator.stop(context.currentTime + 2 * RELEASE);
    },
  };
}
