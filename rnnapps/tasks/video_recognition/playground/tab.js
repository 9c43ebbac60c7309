// Looking: a clip or the camera, and what is probably happening, over time.

import { bars, button, card, examples, fileBeside, filePicker, h, statusLine } from "../../files/page.js";
import { linePlot } from "../../files/plots.js";
import { camera, framesOfGif, framesOfVideo } from "./frames.js";

const MOST_WINDOWS = 12; // of a clip, each asked as a row of one request
const MOST_DRAWN = 4;
const FILMS = ["throwing", "sitting_down"]; // of stick figures, made like those of the built-in data

export function tab(model) {
  const format = model.preprocessing["video.json"], rate = format.frames_per_second;
  const clip = Math.max(1, Math.round(rate * format.clip_seconds));
  const status = statusLine(), found = h("div"), live = h("video", { muted: true, playsinline: true, width: 320, hidden: true, "aria-label": "Camera" });
  let watching = null;

  const guarded = (run) => async (...given) => {
    try {
      status.say((await run(...given)) ?? "");
    } catch (error) {
      status.fail(error);
    }
  };

  const look = guarded(async (content) => {
    status.say("Reading frames…");
    const gif = content.type === "image/gif" || /\.gif$/i.test(content.name ?? "");
    const frames = gif ? await framesOfGif(content, rate, format.longest_seconds) : await framesOfVideo(content, rate, format.longest_seconds);
    const shownClip = gif ? h("img", { alt: "The clip", src: URL.createObjectURL(content), width: 240 }) : h("video", { controls: true, muted: true, src: URL.createObjectURL(content), width: 240 });
    if (!frames) {
      const answer = await model.ask("animation", { animations: new Uint8Array(await content.arrayBuffer()) });
      found.replaceChildren(card(shownClip, classes(answer)));
      return "The clip as a whole.";
    }
    if (!frames.length) throw new Error("The clip has no frames.");
    const ends = windowEnds(frames.length, clip);
    const rows = ends.map((end) => frames.slice(Math.max(0, end - clip), end));
    const answers = await asked(model, rows), whole = await model.ask("serving_default", { frames: b64(frames), lengths: frames.length });
    found.replaceChildren(card(shownClip, h("h3", {}, `Probably ${whole.label.replaceAll("_", " ")}`), classes(whole)), overTime(format.labels, answers, ends.map((end) => `${(end / rate).toFixed(1)} s`)) ?? "");
    return `${frames.length} frames, ${rate} a second.`;
  });

  const watch = button("Watch the camera", guarded(async () => {
    if (watching) return watching();
    const source = await camera(live), frames = [], answers = [], times = [], begun = performance.now();
    let on = true;
    live.hidden = false;
    watch.textContent = "Stop the camera";
    watching = () => { on = false; };
    const timer = setInterval(() => frames.push(source.frame()) > clip && frames.shift(), 1000 / rate);
    try {
      while (on) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        if (!frames.length) continue;
        const row = [...frames], answer = await model.ask("serving_default", { frames: b64(row), lengths: row.length });
        answers.push(answer);
        times.push(`${((performance.now() - begun) / 1000).toFixed(0)} s`);
        if (answers.length > 120) [answers, times].forEach((list) => list.shift());
        found.replaceChildren(card(h("h3", {}, `Probably ${answer.label.replaceAll("_", " ")}`), classes(answer)), overTime(format.labels, answers, times) ?? "");
        status.say("Watching…");
      }
    } finally {
      clearInterval(timer);
      source.stop();
      watching = null;
      live.hidden = true;
      watch.textContent = "Watch the camera";
    }
    return "Stopped.";
  }), "main");

  const stored = (model.examples.animation ?? []).map((row, place) => [`Stored clip ${place + 1}`, row.animations.b64]);
  const films = FILMS.filter((name) => format.labels.includes(name)).map((name) => [`A figure, ${name.replaceAll("_", " ")}`, name]);
  const film = async (name) => (await fileBeside(`${name}.mp4`, import.meta.url)).blob();
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return h(
    "div",
    {},
    card(
      filePicker("A clip (MP4, WebM or GIF)", "video/*,.gif,image/gif", look),
      examples([...films, ...stored.slice(0, 2)], async (choice) => look(FILMS.includes(choice) ? await film(choice) : new Blob([bytes(choice)], { type: "image/gif" })), status),
      h("div", { class: "row" }, watch),
      status.line,
      live,
    ),
    found,
  );
}

const b64 = (frames) => frames.map((content) => ({ b64: content }));

/** Ends of windows over a clip, at most so many, the last at its end. */
export function windowEnds(count, clip) {
  const first = Math.max(1, Math.min(Math.round(clip / 4), Math.floor(count / 2))), wanted = Math.min(MOST_WINDOWS, count - first + 1);
  return Array.from({ length: wanted }, (_, place) => Math.round(first + ((count - first) * place) / Math.max(1, wanted - 1)));
}

/** The answers to rows of frames, in one request. */
async function asked(model, rows) {
  const width = Math.max(...rows.map((row) => row.length));
  const padded = rows.map((row) => [...b64(row), ...Array(width - row.length).fill("")]);
  const outputs = await model.predict("serving_default", { frames: padded, lengths: rows.map((row) => row.length) });
  const refused = outputs.problem.find(Boolean);
  if (refused) throw new Error(refused);
  return rows.map((_, row) => ({ labels: outputs.labels[row], probabilities: outputs.probabilities[row] }));
}

function classes(answer) {
  return bars(answer.labels.slice(0, 5).map((label, place) => [label.replaceAll("_", " "), answer.probabilities[place]]));
}

/** Curves of the classes that were ever likely; none of a single moment. */
function overTime(labels, answers, times) {
  if (answers.length < 2) return null;
  const curves = labels.map((label) => ({ label, values: answers.map((answer) => answer.probabilities[answer.labels.indexOf(label)]) }));
  const drawn = curves.sort((a, b) => Math.max(...b.values) - Math.max(...a.values)).slice(0, MOST_DRAWN);
  return card(linePlot({ title: "Probabilities over time", lines: drawn.map(({ label, values }, place) => ({ name: label.replaceAll("_", " "), values, colour: place })), range: [0, 1], labels: times }));
}
