// Music: a primer from a file or from keys on the screen, its continuation as a piano roll, sound and a file.

import { button, card, download, examples, field, filePicker, h, numberInput, runner, select, statusLine } from "../../files/page.js";
import { colour, fitted } from "../../files/plots.js";
import { keyboard, midiKeyboards } from "./keyboard.js";
import { midiOf, notesOf } from "./midi.js";
import { Recorder } from "./primer.js";
import { continued } from "./steps.js";
import { synthesiser } from "./synthesiser.js";

const BEATS_A_SECOND = 2;
const LENGTHS = { "¼ beat": 0.25, "½ beat": 0.5, "1 beat": 1, "2 beats": 2, "as it is played": null };
const CHORDS = [[48, 60, 64, 67], [53, 60, 65, 69], [55, 59, 62, 67], [48, 60, 64, 67]];
const PRIMERS = [
  ["A cadence", CHORDS.flatMap((keys, beat) => keys.map((key) => ({ key, from: beat, to: beat + 1 })))],
  ["A scale", [60, 62, 64, 65, 67, 69, 71, 72].map((key, place) => ({ key, from: place / 2, to: (place + 1) / 2 }))],
  ["Nothing: begin a piece", []],
];

export const alone = ["frames", "drawn"]; // where there is no server, nothing is asked for but steps that read these

export function tab(model) {
  const status = statusLine(), tensors = model.all.serving_default.inputs, found = h("div"), roll = h("div");
  const wishes = model.alone ? ["steps", "seed"] : ["steps", "temperature", "top_p", "seed"];
  const settings = Object.fromEntries(wishes.map((name) => [name, numberInput(tensors[name], tensors[name].default, name === "steps" || name === "seed" ? 1 : 0.05)]));
  const sound = synthesiser(BEATS_A_SECOND);
  let primer = [], file = null;

  const recorder = new Recorder({
    beatsASecond: BEATS_A_SECOND,
    grid: 1 / (model.preprocessing["music.json"].steps_per_beat ?? 4),
    changed: (notes) => {
      [primer, file] = [notes, null];
      roll.replaceChildren(notes.length ? pianoRoll(notes, Infinity, "The primer") : "");
    },
  });
  const take = (notes, bytes = null) => {
    recorder.take(notes);
    file = bytes;
  };

  const go = runner("Continue", status, async () => {
    const row = Object.fromEntries(Object.entries(settings).map(([name, input]) => [name, Number(input.value)]));
    const { content, notes, steps } = await (model.alone ? here : there)(row);
    const ends = primer.reduce((last, note) => Math.max(last, note.to), 0);
    const listen = button("Play", () => sound.play(notes), "main"), quiet = button("Stop", () => sound.stop());
    const keep = button("Download MIDI", () => download("continued.mid", content, "audio/midi"));
    found.replaceChildren(card(pianoRoll(notes, ends, "The primer and what follows it"), h("div", { class: "row" }, listen, quiet, keep)));
    return `${steps} steps written, ${notes.length} notes in all.`;
  });

  /** The server continues a file. */
  async function there(row) {
    const bytes = file ?? (primer.length ? midiOf(primer) : new Uint8Array());
    const answer = await model.ask("serving_default", { ...row, midi_bytes: bytes.length ? bytes : "" });
    return { content: answer.written_midi_bytes, notes: notesOf(answer.written_midi_bytes), steps: answer.written_lengths };
  }

  /** Without one, this page does. */
  async function here(row) {
    const notes = await continued(model, primer, row);
    return { content: midiOf(notes), notes, steps: row.steps };
  }

  const open = async (chosen) => {
    try {
      const bytes = new Uint8Array(await chosen.arrayBuffer());
      take(notesOf(bytes), bytes);
      status.say(`${primer.length} notes in ${chosen.name}.`);
    } catch (error) {
      status.fail(error);
    }
  };
  return h(
    "div",
    {},
    card(
      h("div", { class: "fields" }, filePicker("A primer (MIDI file)", ".mid,.midi,audio/midi", open)),
      examples(PRIMERS, (notes) => { take(notes); go.click(); }),
      h("h3", {}, "Or play one"),
      ...played(recorder, sound, status),
      h("div", { class: "row" }, button("Play the primer", () => sound.play(primer)), button("Clear the primer", () => take([]))),
      roll,
      h("div", { class: "fields" }, Object.entries(settings).map(([name, input]) => field(name.replace("_", " "), input, tensors[name].meaning))),
      h("div", { class: "row" }, go),
      status.line,
    ),
    found,
  );
}

/** The keyboard, how long its notes are, and the keyboards that are plugged in. */
function played(recorder, sound, status) {
  const now = () => performance.now() / 1000, length = select(Object.keys(LENGTHS), "½ beat");
  const use = () => recorder.use(LENGTHS[length.value]);
  length.addEventListener("change", use);
  use();
  const keys = keyboard({
    pressed: (key) => {
      sound.press(key);
      recorder.press(key, now());
    },
    released: (key) => {
      sound.release(key);
      recorder.release(key, now());
    },
  });
  const told = (names) => status.say(names.length ? `Listening to ${names.join(", ")}.` : "No MIDI keyboard is connected; one that you plug in is heard.");
  const plugged = button("Use a MIDI keyboard", () => midiKeyboards({ ...keys, told }).catch(status.fail));
  return [
    keys.board,
    h("p", { class: "quiet" }, "By mouse, by touch, or by the letters on the keys while one of them has the focus; keys that are held together are a chord."),
    h("div", { class: "fields" }, field("Length of a note", length)),
    h("div", { class: "row" }, keys.octaves, navigator.requestMIDIAccess ? plugged : null),
  ];
}

/** Notes as bars; those behind the primer in another colour. */
function pianoRoll(notes, primerEnds, title) {
  const canvas = h("canvas"), ends = notes.reduce((last, note) => Math.max(last, note.to), 0), end = Math.max(1, ends);
  const keys = notes.map((note) => note.key), low = Math.min(...keys, 60) - 2, high = Math.max(...keys, 61) + 2;
  const place = h("figure", { role: "img", "aria-label": `${title}: ${notes.length} notes in ${ends.toFixed(1)} beats` }, h("figcaption", {}, h("b", {}, title)), canvas);
  return fitted(place, (width) => {
    const height = 200, scale = window.devicePixelRatio || 1, paper = canvas.getContext("2d");
    [canvas.width, canvas.height] = [width * scale, height * scale];
    canvas.style.width = "100%";
    canvas.style.height = `${height}px`;
    paper.scale(scale, scale);
    paper.fillStyle = colour("--page");
    paper.fillRect(0, 0, width, height);
    paper.strokeStyle = colour("--line");
    const octaves = Array.from({ length: high - low + 1 }, (_, at) => low + at).filter((key) => key % 12 === 0);
    for (const key of octaves) paper.strokeRect(0, height * (1 - (key - low) / (high - low)), width, 0);
    for (const note of notes) {
      paper.fillStyle = colour(note.from < primerEnds - 1e-6 ? "--c0" : "--c1");
      const left = (width * note.from) / end, top = height * (1 - (note.key - low + 1) / (high - low));
      paper.fillRect(left, top, Math.max(2, (width * (note.to - note.from)) / end - 1), Math.max(2, height / (high - low) - 1));
    }
    paper.fillStyle = colour("--quiet");
    for (const key of octaves) paper.fillText(`C${key / 12 - 1}`, 3, height * (1 - (key - low) / (high - low)) - 3);
  });
}
