// A continuation that is drawn where the page is: by steps of the model, key by key, each given the keys below it.

import { generator } from "../../files/numbers.js";

const LOWEST = 21, KEYS = 88; // the piano's keys, as MIDI counts them

/** Notes of a primer and those that follow it, {key, from, to} in beats. */
export async function continued(model, primer, { steps, seed }) {
  const { steps_per_beat: grid } = model.preprocessing["music.json"], stream = model.stream("step"), random = generator(seed);
  const frames = framesOf(primer, grid);
  let before = new Array(KEYS).fill(0); // a piece begins after silence
  for (const frame of frames) {
    await stream.send({ frames: [before], drawn: frame });
    before = frame;
  }
  for (let step = 0; step < steps; step += 1) {
    const frame = await drawn(stream, before, random);
    await stream.send({ frames: [before], drawn: frame });
    frames.push(frame);
    before = frame;
  }
  return notesOf(frames, grid);
}

/** The next frame, as it was learned: the logits are asked for again with every key that is struck. */
async function drawn(stream, before, random) {
  const frame = new Array(KEYS).fill(0);
  for (let key = 0; key < KEYS; ) {
    const { logits } = await stream.ask({ frames: [before], drawn: frame });
    while (key < KEYS && random() >= 1 / (1 + Math.exp(-logits[key]))) key += 1;
    if (key < KEYS) frame[key] = 1;
    key += 1;
  }
  return frame;
}

function framesOf(notes, grid) {
  const count = notes.reduce((last, note) => Math.max(last, Math.round(note.to * grid)), 0);
  const frames = Array.from({ length: count }, () => new Array(KEYS).fill(0));
  for (const { key, from, to } of notes) {
    for (let step = Math.round(from * grid); step < Math.round(to * grid); step += 1) if (key >= LOWEST && key < LOWEST + KEYS) frames[step][key - LOWEST] = 1;
  }
  return frames;
}

/** Keys that sound in neighbouring frames are one note. */
function notesOf(frames, grid) {
  const notes = [];
  for (let place = 0; place < KEYS; place += 1) {
    for (let step = 0, from = 0; step < frames.length; step += 1) {
      if (!frames[step][place]) continue;
      if (!step || !frames[step - 1][place]) from = step;
      if (step + 1 === frames.length || !frames[step + 1][place]) notes.push({ key: place + LOWEST, from: from / grid, to: (step + 1) / grid });
    }
  }
  return notes.sort((a, b) => a.from - b.from || a.key - b.key);
}
