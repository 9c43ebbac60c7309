// Standard MIDI Files: notes of a file, and a file of notes. Times are in beats.

/** Notes of a file of type 0 or 1: {key, from, to}, in beats, percussion left out. */
export function notesOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 14 || view.getUint32(0) !== 0x4d546864) throw new Error("This is no Standard MIDI File.");
  const tracks = view.getUint16(10), ticks = view.getUint16(12), notes = [];
  let at = 8 + view.getUint32(4);
  for (let track = 0; track < tracks && at + 8 <= bytes.length; track += 1) {
    const end = Math.min(bytes.length, at + 8 + view.getUint32(at + 4));
    readTrack(bytes, at + 8, end, ticks, notes);
    at = end;
  }
  return notes.sort((a, b) => a.from - b.from || a.key - b.key);
}

function readTrack(bytes, start, end, ticks, notes) {
  const open = new Map();
  let at = start, time = 0, running = 0;
  const variable = () => {
    let value = 0, byte;
    do {
      byte = bytes[at++];
      value = value * 128 + (byte & 127);
    } while (byte & 128 && at < end);
    return value;
  };
  while (at < end) {
    time += variable();
    if (bytes[at] & 128) running = bytes[at++];
    const kind = running & 0xf0;
    if (running === 0xff) at += 1;
    if (running >= 0xf0) {
      at += variable();
      continue;
    }
    const [first, second] = [bytes[at], bytes[at + 1]];
    at += kind === 0xc0 || kind === 0xd0 ? 1 : 2;
    if ((running & 15) === 9 || (kind !== 0x90 && kind !== 0x80)) continue;
    const name = (running & 15) * 128 + first;
    if (open.has(name)) notes.push({ key: first, from: open.get(name) / ticks, to: time / ticks });
    open.delete(name);
    if (kind === 0x90 && second > 0) open.set(name, time);
  }
}

/** The bytes of a file of type 0 that plays notes. */
export function midiOf(notes, ticks = 480) {
  const events = notes.flatMap(({ key, from, to }) => [[Math.round(from * ticks), 1, key], [Math.round(to * ticks), 0, key]]);
  events.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const track = [];
  let now = 0;
  for (const [time, on, key] of events) {
    track.push(...variableLength(time - now), on ? 0x90 : 0x80, key, 80);
    now = time;
  }
  track.push(0, 0xff, 0x2f, 0);
  const size = track.length, letters = (text) => [...text].map((letter) => letter.charCodeAt(0));
  return Uint8Array.from([...letters("MThd"), 0, 0, 0, 6, 0, 0, 0, 1, ticks >> 8, ticks & 255, ...letters("MTrk"), size >>> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255, ...track]);
}

function variableLength(value) {
  const parts = [value & 127];
  for (let rest = value >> 7; rest; rest >>= 7) parts.unshift((rest & 127) | 128);
  return parts;
}
