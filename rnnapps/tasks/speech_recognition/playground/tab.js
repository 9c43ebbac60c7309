// Listening: a recording or a file, its words over the spectrogram, and subtitles.

import { bars, button, card, download, examples, fileBeside, filePicker, h, statusLine, table } from "../../files/page.js";
import { fitted } from "../../files/plots.js";
import { fromBase64, record, samplesOf, spectrogram, wavBytes } from "./sound.js";

const NUMBER = "number.wav";

export function tab(model) {
  const status = statusLine(), found = h("div");
  const rate = Math.max(8000, model.preprocessing["speech_features.json"].sample_rate_hz); // browsers go no lower
  let recording = null;

  async function listen(content) {
    status.say("Listening…");
    try {
      const sound = await samplesOf(content, rate), wav = wavBytes(sound);
      const answer = await model.ask("serving_default", { audio_bytes: wav });
      found.replaceChildren(...heard(answer, sound, wav));
      status.say(`${(sound.samples.length / sound.rate).toFixed(1)} s of sound, ${answer.word_counts} words.`);
    } catch (error) {
      status.fail(error);
    }
  }

  const microphone = button("Record", async () => {
    if (recording) return recording.stop();
    try {
      recording = await record();
    } catch (error) {
      return status.fail(error);
    }
    microphone.textContent = "Stop and listen";
    status.say("Recording…");
    const content = await recording.done;
    recording = null;
    microphone.textContent = "Record";
    await listen(content);
  }, "main");

  const stored = (model.examples.serving_default ?? []).map((row, place) => [`Stored sound ${place + 1}`, row.audio_bytes.b64]);
  const spoken = readsNumbers(model) ? [["A number, spoken by a synthesiser", NUMBER]] : [];
  return h(
    "div",
    {},
    card(
      filePicker("A sound file", "audio/*,.wav,.flac,.mp3,.ogg", listen),
      examples([...spoken, ...stored.slice(0, 2)], async (choice) => listen(choice === NUMBER ? await (await fileBeside(NUMBER, import.meta.url)).blob() : new Blob([fromBase64(choice)])), status),
      h("div", { class: "row" }, microphone),
      status.line,
    ),
    found,
  );
}

/** Whether it can write the words of the example, and reads sound as narrow as it is. */
function readsNumbers(model) {
  const { symbols } = model.preprocessing["alphabet.json"], { sample_rate_hz } = model.preprocessing["speech_features.json"];
  return sample_rate_hz <= 8000 && [..."five hundred sixteen"].every((letter) => symbols.includes(letter));
}

function heard(answer, sound, wav) {
  const count = answer.word_counts, seconds = sound.samples.length / sound.rate;
  const words = answer.words.slice(0, count).map((word, at) => ({ word, from: answer.word_starts[at], to: answer.word_ends[at] }));
  const player = h("audio", { controls: true, src: URL.createObjectURL(new Blob([wav], { type: "audio/wav" })) });
  const subtitles = button("Download subtitles (SRT)", () => download("transcript.srt", srt(words), "application/x-subrip"));
  const rows = words.map(({ word, from, to }) => [word, from, to]);
  return [
    card(
      h("h3", {}, "Transcript"),
      h("p", { id: "transcript" }, answer.transcript || "(nothing was recognised)"),
      bars([["confidence", Math.max(0, Math.min(1, answer.confidence))]]),
      picture(words, sound, seconds),
      player,
      h("div", { class: "row" }, subtitles),
    ),
    ...(rows.length ? [card(h("h3", {}, "Words"), table(["word", "from, s", "to, s"], rows))] : []),
  ];
}

/** The spectrogram with a box above it for each word. */
function picture(words, sound, seconds) {
  const canvas = h("canvas"), strip = h("div", { class: "strip" });
  const place = h("figure", { role: "img", "aria-label": `Spectrogram of ${seconds.toFixed(1)} s, words above it` }, strip, canvas);
  return fitted(place, (width) => {
    const columns = Math.min(width, 600), powers = spectrogram(sound.samples, columns), height = powers[0].length;
    const most = powers.reduce((high, column) => Math.max(high, ...column), -90);
    [canvas.width, canvas.height] = [columns, height];
    canvas.style.width = "100%";
    canvas.style.height = "160px";
    const image = new ImageData(columns, height);
    powers.forEach((column, x) => column.forEach((power, y) => {
      const level = Math.max(0, Math.min(1, (power - most + 70) / 70)), at = 4 * ((height - 1 - y) * columns + x);
      image.data.set([255 * level ** 1.6, 255 * level ** 2.4 * 0.85, 90 + 120 * level * (1 - level) + 40 * level, 255], at);
    }));
    canvas.getContext("2d").putImageData(image, 0, 0);
    strip.replaceChildren(...words.map(({ word, from, to }) => {
      const box = h("span", { class: "word" }, word);
      box.style.left = `${(100 * from) / seconds}%`;
      box.style.width = `${(100 * Math.max(0.01, to - from)) / seconds}%`;
      return box;
    }));
  });
}

/** Subtitles of up to seven words each. */
export function srt(words) {
  const time = (seconds) => new Date(Math.round(1000 * seconds)).toISOString().slice(11, 23).replace(".", ",");
  const lines = [];
  for (let at = 0; at < words.length; at += 7) {
    const part = words.slice(at, at + 7);
    lines.push(`${lines.length + 1}\n${time(part[0].from)} --> ${time(part.at(-1).to)}\n${part.map(({ word }) => word).join(" ")}\n`);
  }
  return lines.join("\n");
}
