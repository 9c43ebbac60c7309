// Music: a primer from a file or from keys on the screen, its continuation as a piano roll, sound and a file.

import { button, card, download, examples, field, filePicker, h, numberInput, runner, statusLine } from "../../files/page.js";
import { colour, fitted } from "../../files/plots.js";
import { midiOf, notesOf } from "./midi.js";
import { continued } from "./steps.js";

const BEATS_A_SECOND = 2;
const LOWEST = 60, KEYS = 24; // two octaves from the middle C
const LETTERS = "awsedftgyhujkolp";
const CHORDS = [[48, 60, 64, 67], [53, 60, 65, 69], [55, 59, 62, 67], [48, 60, 64, 67]];
const PRIMERS = [
  ["A cadence", CHORDS.flatMap((keys, beat) => keys.map((key) => ({ key, from: beat, to: beat + 1 })))],
  ["A scale", [60, 62, 64, 65, 67, 69, 71, 72].map((key, place) => ({ key, from: place / 2, to: (place + 1) / 2 }))],
  ["Nothing: begin a piece", []],
];

export const alone = true; // nothing but steps is asked for where there is no server

export function tab(model) {
  const status = statusLine(), tensors = model.all.serving_default.inputs, found = h("div"), roll = h("div");
  const wishes = model.alone ? ["steps", "seed"] : ["steps", "temperature", "top_p", "seed"];
  const settings = Object.fromEntries(wishes.map((name) => [name, numberInput(tensors[name], tensors[name].default, name === "steps" || name === "seed" ? 1 : 0.05)]));
  const sound = synthesiser();
  let primer = [], file = null;

  const take = (notes, bytes = null) => {
    [primer, file] = [notes, bytes];
    roll.replaceChildren(notes.length ? pianoRoll(notes, Infinity, "The primer") : "");
  };
  const play = (key) => {
    const from = primer.reduce((last, note) => Math.max(last, note.to), 0);
    sound.play([{ key, from: 0, to: 0.8 }]);
    take([...primer, { key, from, to: from + 0.5 }]);
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
      keyboard(play),
      h("p", { class: "quiet" }, "By mouse, by touch, or by the letters on the keys while one of them has the focus."),
      h("div", { class: "row" }, button("Clear the primer", () => take([]))),
      roll,
      h("div", { class: "fields" }, Object.entries(settings).map(([name, input]) => field(name.replace("_", " "), input, tensors[name].meaning))),
      h("div", { class: "row" }, go),
      status.line,
    ),
    found,
  );
}

/** Two octaves of keys. */
function keyboard(play) {
  const black = (key) => [1, 3, 6, 8, 10].includes(key % 12);
  const keys = Array.from({ length: KEYS + 1 }, (_, place) => LOWEST + place).map((key, place) => {
    const name = `${["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"][key % 12]}${Math.floor(key / 12) - 1}`;
    const letter = LETTERS[place] ?? "";
    return h("button", { type: "button", class: black(key) ? "key-black" : "key-white", "aria-label": name, onclick: () => play(key) }, letter);
  });
  const board = h("div", { class: "keyboard", role: "group", "aria-label": "Keyboard" }, keys);
  board.addEventListener("keydown", (event) => {
    const place = LETTERS.indexOf(event.key);
    if (place >= 0 && !event.repeat && !event.ctrlKey && !event.metaKey) play(LOWEST + place);
  });
  return board;
}

/** Notes as bars; those behind the primer in another colour. */
function pianoRoll(notes, primerEnds, title) {
  const canvas = h("canvas"), end = notes.reduce((last, note) => Math.max(last, note.to), 1);
  const keys = notes.map((note) => note.key), low = Math.min(...keys, 60) - 2, high = Math.max(...keys, 61) + 2;
  const place = h("figure", { role: "img", "aria-label": `${title}: ${notes.length} notes in ${end.toFixed(1)} beats` }, h("figcaption", {}, h("b", {}, title)), canvas);
  return fitted(place, (width) => {
    const height = 200, scale = window.devicePixelRatio || 1, paper = canvas.getContext("2d");
    [canvas.width, canvas.height] = [width * scale, height * scale];
    canvas.style.width = "100%";
    canvas.style.height = `${height}px`;
    paper.scale(scale, scale);
    paper.fillStyle = colour("--page");
    paper.fillRect(0, 0, width, height);
    paper.strokeStyle = colour("--line");
    for (let key = low; key <= high; key += 1) if (key % 12 === 0) paper.strokeRect(0, height * (1 - (key - low) / (high - low)), width, 0);
    for (const note of notes) {
      paper.fillStyle = colour(note.from < primerEnds - 1e-6 ? "--c0" : "--c1");
      const left = (width * note.from) / end, top = height * (1 - (note.key - low + 1) / (high - low));
      paper.fillRect(left, top, Math.max(2, (width * (note.to - note.from)) / end - 1), Math.max(2, height / (high - low) - 1));
    }
  });
}

/** Plays notes by soft plucked tones. */
function synthesiser() {
  let context = null, out = null;
  const stop = () => {
    out?.disconnect();
    out = null;
  };
  return {
    stop,
    play(notes) {
      context ??= new AudioContext();
      stop();
      out = new GainNode(context, { gain: 0.18 });
      out.connect(context.destination);
      for (const { key, from, to } of notes) {
        const begin = context.currentTime + 0.05 + from / BEATS_A_SECOND, end = begin + (to - from) / BEATS_A_SECOND + 0.15;
        const tone = new OscillatorNode(context, { type: "triangle", frequency: 440 * 2 ** ((key - 69) / 12) });
        const loudness = new GainNode(context, { gain: 0 });
        loudness.gain.setValueAtTime(0, begin);
        loudness.gain.linearRampToValueAtTime(1, begin + 0.015);
        loudness.gain.exponentialRampToValueAtTime(0.01, end);
        tone.connect(loudness).connect(out);
        tone.start(begin);
        tone.stop(end);
      }
    },
  };
}
