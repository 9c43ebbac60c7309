// Writing: the prompt is read and continued token by token, with the likeliest next ones beside it.

import { bars, button, card, download, examples, field, h, numberInput, statusLine } from "../../files/page.js";
import { generator } from "../../files/numbers.js";
import { drawn, likeliest } from "./drawing.js";
import { textTokens } from "./tokens.js";

const PROMPTS = ["The ", "It was ", "Once upon a time", "def "];
const CHUNK = 512;

export const alone = ["tokens"]; // where there is no server, nothing is asked for but steps that read these

export function tab(model) {
  const tensors = model.all.serving_default.inputs, tokens = textTokens(model.preprocessing);
  const status = statusLine();
  const prompt = h("textarea", { value: PROMPTS[0], maxlength: 4000 });
  const settings = {
    steps: numberInput(tensors.steps, tensors.steps.default, 1),
    temperature: numberInput(tensors.temperature, tensors.temperature.default, 0.05),
    top_k: numberInput(tensors.top_k, tensors.top_k.default, 1),
    top_p: numberInput(tensors.top_p, tensors.top_p.default, 0.05),
    seed: numberInput(tensors.seed, tensors.seed.default, 1),
  };
  const stop = h("input", { value: tensors.stop.default, spellcheck: "false" });
  const read = h("span", { class: "prompt" }), written = h("span");
  const paper = h("div", { class: "written", role: "log", "aria-live": "off", "aria-label": "Text", tabindex: "0" }, read, written);
  const next = h("div", {}, h("p", { class: "quiet" }, "They appear with the first that is written. Press one to go on with it."));
  let running = null;

  const write = button("Write", async () => {
    if (running) return running.abort();
    running = new AbortController();
    write.textContent = "Stop";
    try {
      status.say("Writing…");
      const begun = performance.now(), count = await go(running.signal);
      status.say(`${count} ${tokens.noun} in ${((performance.now() - begun) / 1000).toFixed(1)} s.`);
    } catch (error) {
      if (error.name === "AbortError") status.say("Stopped.");
      else status.fail(error);
    } finally {
      running = null;
      write.textContent = "Write";
    }
  }, "main");

  /** Writes until as much is there as was wanted, or the stop text; returns the number of tokens. */
  async function go(signal) {
    const rules = Object.fromEntries(Object.entries(settings).map(([name, input]) => [name, checked(name, input, tensors[name])]));
    const random = generator(rules.seed), stream = model.stream("step"), ending = stop.value;
    read.textContent = prompt.value;
    written.textContent = "";
    const unknown = [...prompt.value].filter((character) => !tokens.isKnown(character)), begun = tokens.open(prompt.value);
    let logits = await reading(stream, begun.ids, signal), text = "", count = 0;
    if (begun.allowed) logits = logits.map((value, id) => (begun.allowed.has(id) ? value : -Infinity));
    for (; count < rules.steps; count += 1) {
      const id = drawn(logits, rules, random, tokens.reserved), given = count ? 0 : begun.given;
      show(likeliest(logits, 5, tokens.reserved), given);
      text += [...tokens.texts[id]].slice(given).join("");
      if (ending && text.includes(ending)) {
        written.textContent = text.slice(0, text.indexOf(ending));
        break;
      }
      written.textContent = text;
      paper.scrollTop = paper.scrollHeight;
      if (count + 1 < rules.steps) logits = (await stream.send({ tokens: [id], lengths: 1 }, signal)).logits[0];
    }
    if (unknown.length) throw new Error(`Written; but the model does not know ${[...new Set(unknown)].map((one) => JSON.stringify(one)).join(", ")} of the prompt.`);
    return count;
  }

  function show(found, given) {
    const label = (id) => tokens.texts[id].replaceAll("\n", "↵").replaceAll(" ", "␣"), before = written.textContent;
    const goOn = (id) => () => {
      running?.abort();
      prompt.value = read.textContent + before + [...tokens.texts[id]].slice(given).join("");
      status.say("Put behind the prompt; Write goes on from there.");
    };
    next.replaceChildren(bars(found.map(([id, value]) => [h("button", { type: "button", onclick: goOn(id), "aria-label": `go on with ${label(id)}` }, label(id)), value])));
  }

  prompt.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && write.click());
  const keep = button("Download the text", () => download(`${model.name}.txt`, read.textContent + written.textContent, "text/plain"));
  const labels = { ...LABELS, steps: tokens.noun === "characters" ? "Characters" : "Tokens" };
  const fields = Object.entries(settings).map(([name, input]) => field(labels[name], input, tensors[name].meaning));
  return h(
    "div",
    {},
    card(
      field("Prompt", prompt, `${tensors.prompt.meaning.replace(" (batch,)", "")}. Ctrl+Enter writes.`, true),
      examples(PROMPTS.map((text) => [text.trim(), text]), (text) => { prompt.value = text; write.click(); }),
      h("div", { class: "fields" }, fields, field("Stop at", stop, tensors.stop.meaning)),
      h("div", { class: "row" }, write, keep),
      status.line,
    ),
    card(h("h3", {}, "Text"), paper, h("h3", {}, `The likeliest next ${tokens.noun}`), next),
  );
}

const LABELS = { temperature: "Temperature", top_k: "Top k", top_p: "Top p", seed: "Seed" };

/** A setting within its limits, in the server's own words where it is not. */
function checked(name, input, { least, most, dtype }) {
  const value = Number(input.value), whole = dtype.startsWith("int");
  if (input.value.trim() === "" || Number.isNaN(value) || (whole && !Number.isInteger(value))) throw new Error(`${name} must be a ${whole ? "whole " : ""}number`);
  if ((least !== undefined && value < least) || (most !== undefined && value > most)) {
    throw new Error(most === undefined ? `${name} must be at least ${least}` : `${name} must be from ${least} to ${most.toLocaleString("en")}`);
  }
  return value;
}

/** Reads tokens in chunks; returns the logits of the one behind them. */
async function reading(stream, ids, signal) {
  let logits;
  for (let at = 0; at < ids.length; at += CHUNK) {
    const tokens = ids.slice(at, at + CHUNK);
    logits = (await stream.send({ tokens, lengths: tokens.length }, signal)).logits.at(-1);
  }
  return logits;
}
