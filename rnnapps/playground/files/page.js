// Parts that pages are made of. Nothing here knows of models.

let made = 0;

/** An element: h("p", {class: "quiet", onclick: f}, "text", child). Text is never read as HTML. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (["value", "checked", "disabled", "hidden", "srcObject", "className"].includes(name)) element[name] = value;
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined));
  return element;
}

/** An input with its label above and a hint below, tied together for screen readers. */
export function field(label, input, hint = "", wide = false) {
  made += 1;
  input.id ||= `field${made}`;
  const small = hint ? h("small", { id: `${input.id}hint` }, hint) : null;
  if (small) input.setAttribute("aria-describedby", small.id);
  return h("div", { class: wide ? "field wide" : "field" }, h("label", { for: input.id }, label), input, small);
}

export function button(label, pressed, kind = "") {
  return h("button", { type: "button", class: kind, onclick: pressed }, label);
}

export function card(...children) {
  return h("section", { class: "card" }, ...children);
}

/** A number with the limits that a signature tells. */
export function numberInput(tensor, value = tensor?.default ?? 0, step = "any") {
  return h("input", { type: "number", value, step, min: tensor?.least, max: tensor?.most, inputmode: "decimal" });
}

export function select(options, value) {
  const element = h("select", {}, options.map((option) => h("option", { value: option }, option)));
  if (value !== undefined) element.value = value;
  return element;
}

/** A line that says what happens, or in plain words what went wrong. */
export function statusLine() {
  const line = h("p", { class: "status", role: "status" });
  return {
    line,
    say(text) {
      line.className = "status";
      line.setAttribute("role", "status");
      line.textContent = text;
    },
    fail(error) {
      line.className = "status bad";
      line.setAttribute("role", "alert");
      line.textContent = error.message ?? String(error);
    },
  };
}

/** A button that runs something once at a time, told of on a status line. */
export function runner(label, status, run) {
  const pressed = async () => {
    start.disabled = true;
    status.say("Working…");
    try {
      status.say((await run()) ?? "");
    } catch (error) {
      status.fail(error);
    } finally {
      start.disabled = false;
    }
  };
  const start = button(label, pressed, "main");
  return start;
}

/** Files by a button or by dropping them. */
export function filePicker(label, accept, taken) {
  const input = h("input", { type: "file", accept, onchange: () => input.files[0] && taken(input.files[0]) });
  const box = h("div", { class: "drop" }, field(label, input, "or drop a file here"));
  const over = (on) => (event) => {
    event.preventDefault();
    box.classList.toggle("over", on);
  };
  box.addEventListener("dragover", over(true));
  box.addEventListener("dragleave", over(false));
  box.addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer.files[0]) taken(event.dataTransfer.files[0]);
  });
  return box;
}

/** A button for each pair of a label and what `chosen` is called with; what that throws is told on a status line. */
export function examples(choices, chosen, status) {
  const choose = (value) => async () => {
    try {
      await chosen(value);
    } catch (error) {
      status?.fail(error);
    }
  };
  const buttons = choices.map(([label, value]) => button(label, choose(value), "example"));
  return h("div", { class: "row", role: "group", "aria-label": "Examples" }, h("span", { class: "quiet" }, "Examples:"), buttons);
}

/** The answer with a file that lies beside a tab, or with a text that a page of one file holds. */
export async function fileBeside(name, tabUrl) {
  const inside = document.getElementById(`beside-${name}`);
  if (inside) return new Response(JSON.parse(inside.textContent));
  let answer;
  try {
    answer = await fetch(new URL(name, tabUrl));
  } catch {
    throw new Error("The server does not answer. Is it still running?");
  }
  if (!answer.ok) throw new Error(`The example cannot be had: the server answers with status ${answer.status}.`);
  return answer;
}

export function download(name, content, type) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

export function table(headings, rows) {
  const kind = (value) => ({ class: typeof value === "number" || value?.number ? "number" : "" });
  const cell = (value) => (value instanceof Node ? value : typeof value === "number" ? shown(value) : String(value));
  const body = rows.map((row) => h("tr", {}, row.map((value) => h("td", kind(value), cell(value)))));
  const head = h("tr", {}, headings.map((name, place) => h("th", { scope: "col", ...kind(rows[0]?.[place]) }, name)));
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": headings.join(", ") }, h("table", {}, h("thead", {}, head), h("tbody", {}, body)));
}

/** A number with about four digits. */
export function shown(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return value.toLocaleString("en");
  return size !== 0 && (size >= 1e6 || size < 1e-3) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** Bars of probabilities: pairs of a label, text or element, and a value from 0 to 1. */
export function bars(pairs) {
  const cells = pairs.flatMap(([label, value]) => {
    const part = h("i");
    part.style.width = `${100 * value}%`;
    return [h("span", {}, label), h("span", { class: "bar", "aria-hidden": "true" }, part), h("span", { class: "number" }, `${(100 * value).toFixed(1)} %`)];
  });
  return h("div", { class: "bars" }, cells);
}
