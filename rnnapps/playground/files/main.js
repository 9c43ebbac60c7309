// The page: a tab for each model of the server.

import { fetchJson, Model } from "./ask.js";
import { forms, tab as anyTab } from "./any.js";
import { h } from "./page.js";

const list = document.getElementById("tabs"), panels = document.getElementById("panels"), loading = document.getElementById("loading");
const opened = new Map();

start().catch((error) => {
  loading.className = "status bad";
  loading.setAttribute("role", "alert");
  loading.textContent = error.message;
});

async function start() {
  const { models } = await fetchJson("models");
  if (!models.length) throw new Error("The server has no model that answers now. Its log says why.");
  for (const place of models) list.append(tabOf(place));
  const wanted = decodeURIComponent(location.hash.slice(1));
  await open(models.find((place) => place.name === wanted) ?? models[0]);
  window.addEventListener("hashchange", () => {
    const named = models.find((place) => place.name === decodeURIComponent(location.hash.slice(1)));
    if (named) open(named);
  });
}

function tabOf(place) {
  const shownName = place.name.replaceAll("_", " ");
  const ids = { id: `tab-${place.name}`, "aria-controls": `panel-${place.name}` };
  const control = h("button", { type: "button", role: "tab", tabindex: "-1", "aria-selected": "false", ...ids }, shownName);
  control.addEventListener("click", () => open(place));
  control.addEventListener("keydown", (event) => {
    const all = [...list.children], at = all.indexOf(control);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    all.at(next % all.length).focus();
    all.at(next % all.length).click();
  });
  return control;
}

/** Shows a model; its page is made when it is looked at first. */
async function open(place) {
  for (const control of list.children) {
    const selected = control.id === `tab-${place.name}`;
    control.setAttribute("aria-selected", selected);
    control.tabIndex = selected ? 0 : -1;
    if (selected) control.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  history.replaceState(null, "", `#${encodeURIComponent(place.name)}`);
  if (!opened.has(place.name)) {
    opened.set(place.name, h("div", { role: "tabpanel", id: `panel-${place.name}`, "aria-labelledby": `tab-${place.name}` }));
    panels.append(opened.get(place.name));
    fill(opened.get(place.name), place);
  }
  loading.hidden = true;
  for (const [name, panel] of opened) panel.hidden = name !== place.name;
}

async function fill(panel, place) {
  panel.replaceChildren(h("p", { role: "status" }, "Reading what the model tells…"));
  try {
    const model = new Model(place, await fetchJson(`models/${encodeURIComponent(place.name)}/${place.version}`));
    if (!model.signatures) throw new Error(`${place.name}: this export tells nothing of its signatures; export it again with this version.`);
    const own = model.tab ? (await model.ownTab()).tab : null;
    const content = await (own ?? anyTab)(model);
    panel.replaceChildren(...heading(model), content, ...(own && !model.alone ? [more("Every signature, as a form", () => forms(model))] : []), more("Model card", () => h("pre", {}, model.card)));
  } catch (error) {
    panel.replaceChildren(h("p", { class: "status bad", role: "alert" }, error.message));
  }
  panel.dataset.ready = "";
}

function heading(model) {
  const summary = model.all.serving_default?.summary || "";
  const kind = model.signatures.pipeline.replaceAll("_", " ");
  return [h("h2", {}, model.name.replaceAll("_", " ")), h("p", { class: "quiet" }, [kind, `version ${model.version}`].filter(Boolean).join(", "), ". ", summary)];
}

/** What is seldom wanted: made when it is opened. */
function more(title, make) {
  const place = h("div");
  const details = h("details", { class: "card" }, h("summary", {}, title), place);
  details.addEventListener("toggle", () => details.open && !place.firstChild && place.append(make()));
  return details;
}
