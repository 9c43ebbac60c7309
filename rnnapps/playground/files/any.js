// A form for any signature of any model, made of what signatures.json tells.

import { button, card, examples, field, h, numberInput, runner, select, shown, statusLine, table } from "./page.js";

/** The tab of a model whose pipeline brings none. */
export function tab(model) {
  return card(forms(model));
}

/** A chooser of signatures and the form of the chosen one. */
export function forms(model) {
  const names = Object.keys(model.all).sort((a, b) => (b === "serving_default") - (a === "serving_default"));
  const place = h("div");
  const chosen = select(names);
  chosen.addEventListener("change", () => place.replaceChildren(form(model, chosen.value)));
  place.replaceChildren(form(model, names[0]));
  return h("div", {}, names.length > 1 ? field("Signature", chosen) : null, place);
}

function form(model, name) {
  const signature = model.all[name];
  const status = statusLine(), answer = h("div");
  const own = Object.entries(signature.inputs).filter(([, tensor]) => !tensor.next);
  const states = Object.values(signature.inputs).length - own.length;
  const inputs = Object.fromEntries(own.map(([input, tensor]) => [input, widget(tensor)]));
  let stream = states ? model.stream(name) : null;
  const run = runner("Ask the model", status, async () => {
    const row = Object.fromEntries(own.map(([input, tensor]) => [input, read(input, tensor, inputs[input])]));
    if (stream && signature.begins) throw new Error(`${name} goes on from an answer of ${signature.begins}: ask that by a client's stream.`);
    const outputs = await (stream ? stream.send(row) : model.ask(name, row));
    answer.replaceChildren(answers(signature, outputs));
    return "Answered.";
  });
  const again = button("Forget the states", () => {
    stream = model.stream(name);
    status.say("The next request begins anew.");
  });
  const stored = (model.examples[name] ?? []).map((row, place) => [String(place + 1), row]);
  const fill = (row) => own.forEach(([input, tensor]) => write(tensor, inputs[input], row[input]));
  return h(
    "form",
    { onsubmit: (event) => { event.preventDefault(); run.click(); } },
    h("p", { class: "quiet" }, signature.summary, states ? " Its states are kept from one request to the next." : ""),
    stored.length ? examples(stored, fill) : null,
    h("div", { class: "fields" }, own.map(([input, tensor]) => field(input, inputs[input], hint(tensor), isLong(tensor)))),
    h("div", { class: "row" }, run, stream ? again : null),
    status.line,
    answer,
  );
}

const isNumber = (tensor) => tensor.dtype !== "string" && tensor.dtype !== "bool";
const isLong = (tensor) => tensor.shape.length > 1 || tensor.dtype === "string";

function widget(tensor) {
  if (tensor.shape.length > 1) return h("textarea", { class: "code", spellcheck: "false", value: tensor.default === undefined ? "" : JSON.stringify(tensor.default) });
  if (tensor.dtype === "bool") return h("input", { type: "checkbox", checked: tensor.default === true });
  if (isNumber(tensor)) return numberInput(tensor, tensor.default ?? "", tensor.dtype.startsWith("float") ? "any" : 1);
  return h("textarea", { value: tensor.default ?? "" });
}

function hint(tensor) {
  const within = tensor.least !== undefined && tensor.most !== undefined ? `from ${tensor.least} to ${tensor.most}` : tensor.least !== undefined ? `at least ${tensor.least}` : tensor.most !== undefined ? `at most ${tensor.most}` : "";
  const shape = tensor.shape.slice(1).map((size) => size ?? "any").join(" × ");
  return [tensor.meaning, `${tensor.dtype}${shape ? `, ${shape}: nested lists as JSON` : ""}`, within, tensor.missing ? "NaN where missing" : ""].filter(Boolean).join("; ");
}

/** What a person wrote, as the input wants it. */
function read(name, tensor, input) {
  if (tensor.shape.length > 1) {
    try {
      return JSON.parse(input.value.replaceAll("NaN", "null"), (_, value) => (value === null ? NaN : value));
    } catch {
      throw new Error(`${name}: lists as JSON expected, such as [[1, 2], [3, 4]].`);
    }
  }
  if (tensor.dtype === "bool") return input.checked;
  if (!isNumber(tensor)) return input.dataset.b64 && input.value === input.dataset.shown ? { b64: input.dataset.b64 } : input.value;
  if (input.value.trim() === "" || Number.isNaN(Number(input.value))) throw new Error(`${name}: a number expected.`);
  return tensor.dtype === "int64" ? BigInt(Math.trunc(Number(input.value))) : Number(input.value);
}

function write(tensor, input, value) {
  if (tensor.shape.length > 1) input.value = JSON.stringify(value).replaceAll("null", "NaN");
  else if (tensor.dtype === "bool") input.checked = value;
  else if (value?.b64) {
    input.dataset.b64 = value.b64;
    input.dataset.shown = input.value = `${Math.round(value.b64.length * 0.75)} bytes of the example`;
  } else input.value = value;
}

function answers(signature, outputs) {
  const rows = Object.entries(outputs)
    .filter(([name]) => name !== "problem" && !name.startsWith("next_state_"))
    .map(([name, value]) => [name, h("pre", {}, brief(value)), signature.outputs[name]?.meaning ?? ""]);
  return table(["output", "value", "meaning"], rows);
}

function brief(value) {
  if (value instanceof Uint8Array) return `${value.length.toLocaleString("en")} bytes`;
  const text = typeof value === "string" ? value : typeof value === "number" ? shown(value) : JSON.stringify(value, (_, part) => (typeof part === "number" ? Number(part.toPrecision(5)) : part));
  return text.length > 2000 ? `${text.slice(0, 2000)}… (${text.length.toLocaleString("en")} characters)` : text;
}
