// A keyboard on the screen, played by mouse, by touch, by the letters of the computer's keyboard, and over MIDI.

import { button, h } from "../../files/page.js";

const LOWEST = 60, KEYS = 24; // two octaves from the middle C; the upper one is not shown on a phone
const LETTERS = "awsedftgyhujkolp";
const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const [HIGHEST_OCTAVE, LOWEST_OCTAVE] = [2, -3];

/**
 * The keyboard, and buttons that move it by an octave.
 *
 * pressed(key) and released(key) are told of MIDI's numbers of keys, 60 for the middle C; each that is pressed is
 * released some time, also where the pointer, the window or the focus is lost.
 */
export function keyboard({ pressed, released }) {
  const held = new Map(); // what holds a key: a pointer, a letter -> the key
  let octave = 0;
  const sounding = (key) => [...held.values()].includes(key);
  const press = (by, key) => {
    if (held.has(by)) return;
    if (!sounding(key)) pressed(key);
    held.set(by, key);
    lit(key);
  };
  const release = (by) => {
    const key = held.get(by);
    if (!held.delete(by) || sounding(key)) return;
    released(key);
    lit(key);
  };
  const keys = Array.from({ length: KEYS + 1 }, (_, place) => keyButton(place, () => LOWEST + place + 12 * octave, { press, release }));
  const lit = (key) => keys[key - LOWEST - 12 * octave]?.classList.toggle("down", sounding(key));
  const board = h("div", { class: "keyboard", role: "group", "aria-label": "Keyboard" }, keys);

  const shift = (by) => () => {
    for (const holder of [...held.keys()]) release(holder);
    octave = Math.max(LOWEST_OCTAVE, Math.min(HIGHEST_OCTAVE, octave + by));
    keys.forEach((control, place) => name(control, LOWEST + place + 12 * octave));
    [lower.disabled, higher.disabled] = [octave === LOWEST_OCTAVE, octave === HIGHEST_OCTAVE];
  };
  const lower = button("Octave down", shift(-1)), higher = button("Octave up", shift(1));

  board.addEventListener("keydown", (event) => {
    const place = LETTERS.indexOf(event.key.toLowerCase());
    if (event.key === "" || place < 0 || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    press(`letter ${event.code}`, LOWEST + place + 12 * octave);
  });
  const nothing = () => [...held.keys()].forEach(release);
  board.addEventListener("keyup", (event) => release(`letter ${event.code}`));
  board.addEventListener("focusout", (event) => board.contains(event.relatedTarget) || nothing());
  window.addEventListener("blur", nothing);
  return { board, octaves: [lower, higher], press, release };
}

const name = (control, key) => control.setAttribute("aria-label", `${NAMES[key % 12]}${Math.floor(key / 12) - 1}`);

/** One key: a pointer holds it, Enter and the space bar strike it. */
function keyButton(place, key, { press, release }) {
  const black = [1, 3, 6, 8, 10].includes(place % 12), upper = place > 12 ? " upper" : "";
  const control = h("button", { type: "button", class: (black ? "key-black" : "key-white") + upper }, LETTERS[place] ?? "");
  name(control, LOWEST + place);
  control.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    control.releasePointerCapture(event.pointerId); // a finger that slides goes on to the next key
    press(`pointer ${event.pointerId}`, key());
  });
  control.addEventListener("pointerenter", (event) => event.buttons & 1 && press(`pointer ${event.pointerId}`, key()));
  for (const kind of ["pointerup", "pointerleave", "pointercancel"]) control.addEventListener(kind, (event) => release(`pointer ${event.pointerId}`));
  control.addEventListener("click", (event) => {
    if (event.detail) return; // the pointer has struck it
    press("enter", key());
    setTimeout(() => release("enter"), 200);
  });
  return control;
}

/** Listens to the keyboards that are plugged in, those too that come later; told(names) is called whenever they change. */
export async function midiKeyboards({ press, release, told }) {
  let access;
  try {
    access = await navigator.requestMIDIAccess();
  } catch (error) {
    throw new Error(`The browser gives no MIDI keyboard (${error.message}).`);
  }
  const listen = () => {
    const inputs = [...access.inputs.values()].filter((input) => input.state !== "disconnected");
    for (const input of inputs) {
      input.onmidimessage = ({ data: [kind, key, velocity] }) => {
        const by = `${input.id} ${kind & 15} ${key}`;
        if ((kind & 0xf0) === 0x90 && velocity > 0) press(by, key);
        else if ((kind & 0xf0) === 0x90 || (kind & 0xf0) === 0x80) release(by);
      };
    }
    told(inputs.map((input) => input.name || "a keyboard"));
  };
  access.onstatechange = listen;
  listen();
}
