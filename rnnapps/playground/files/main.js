// The page: a tab for each model of the server, those too that come and go while it is looked at.

import { fetchJson, Model } from "./ask.js";
import { forms, tab as anyTab } from "./any.js";
import { markdown } from "./markdown.js";
import { button, h } from "./page.js";

const list = document.getElementById("tabs"), panels = document.getElementById("panels"), told = document.getElementById("told");
const SOON = 1_000, LATER = 10_000; // milliseconds until the next look: while models load, and when all have
const pages = new Map(); // name -> {place, control, panel}; a panel is made when it is looked at first
let shown = "";

window.addEventListener("hashchange", () => pages.has(named()) && open(named()));
look();

/** Asks the server which models it has, again and again while anybody can see the page. */
async function look() {
  let pause = LATER;
  try {
    const found = await fetchJson("models");
    show(found);
    if (!found.complete || found.loading.length) pause = SOON;
  } catch (error) {
    say(error.message, true);
    if (error.status === 401) return; // no token was given
  }
  setTimeout(() => (document.hidden ? document.addEventListener("visibilitychange", look, { once: true }) : look()), pause);
}

function show({ models, loading, refused, complete }) {
  for (const place of models) {
    const page = pages.get(place.name);
    if (!page) add(place);
    else if (page.place.version !== place.version) renew(page, place);
  }
  for (const page of pages.values()) {
    const there = models.some((place) => place.name === page.place.name);
    if (there === page.control.classList.contains("gone")) note(page, there ? "" : "The server does not have this model any more.");
    page.control.classList.toggle("gone", !there);
  }
  if (!pages.has(shown) && pages.size && !loading.includes(named())) open(pages.has(named()) ? named() : [...pages.keys()].sort()[0]);
  const parts = [];
  if (loading.length) parts.push(`Loading ${loading.map(plain).join(", ")}…`);
  else if (!complete) parts.push("The server looks for its models…");
  for (const { name, reason } of refused) parts.push(`${plain(name)} cannot be served: ${reason}`);
  if (complete && !models.length && !parts.length) parts.push("The server has no model. Its log says why.");
  say(parts.join(" "), refused.length > 0 || (complete && !models.length && !loading.length));
}

const named = () => decodeURIComponent(location.hash.slice(1));
const plain = (name) => name.replaceAll("_", " ");

/** What there is to say of the server as a whole. */
function say(text, bad = false) {
  if (told.textContent !== text) told.textContent = text;
  told.hidden = !text;
  told.className = bad ? "status bad" : "status";
  told.setAttribute("role", bad ? "alert" : "status");
}

/** A new tab, at its place among the names. */
function add(place) {
  const ids = { id: `tab-${place.name}`, "aria-controls": `panel-${place.name}` };
  const control = h("button", { type: "button", role: "tab", tabindex: "-1", "aria-selected": "false", ...ids }, plain(place.name));
  control.addEventListener("click", () => open(place.name));
  control.addEventListener("keydown", (event) => {
    const all = [...list.children], at = all.indexOf(control);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    all.at(next % all.length).focus();
    all.at(next % all.length).click();
  });
  list.insertBefore(control, [...list.children].find((other) => other.id > control.id) ?? null);
  pages.set(place.name, { place, control, panel: null });
}

/** Another version answers now: whoever has the page open chooses when to see it. */
function renew(page, place) {
  page.place = place;
  note(page, `Version ${place.version} is served now; this page is of another one. `, button("Show it", () => fill(page)));
}

const note = (page, ...content) => page.panel?.querySelector(".note")?.replaceChildren(...content);

/** Shows a model. */
function open(name) {
  shown = name;
  for (const page of pages.values()) {
    const selected = page.place.name === name;
    page.control.setAttribute("aria-selected", selected);
    page.control.tabIndex = selected ? 0 : -1;
    if (selected) page.control.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (page.panel) page.panel.hidden = !selected;
  }
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  const page = pages.get(name);
  if (page.panel) return;
  page.panel = h("div", { role: "tabpanel", id: `panel-${name}`, "aria-labelledby": `tab-${name}` });
  panels.append(page.panel);
  fill(page);
}

async function fill({ place, panel }) {
  delete panel.dataset.ready;
  panel.replaceChildren(h("p", { role: "status" }, "Reading what the model tells…"));
  try {
    const model = new Model(place, await fetchJson(`models/${encodeURIComponent(place.name)}/${place.version}`));
    if (!model.signatures) throw new Error(`${place.name}: this export tells nothing of its signatures; export it again with this version.`);
    const own = model.tab ? (await model.ownTab()).tab : null;
    const content = await (own ?? anyTab)(model);
    panel.replaceChildren(...heading(model), content, ...(own && !model.alone ? [more("Every signature, as a form", () => forms(model))] : []), more("Model card", () => markdown(model.card)));
  } catch (error) {
    panel.replaceChildren(h("p", { class: "status bad", role: "alert" }, error.message));
  }
  panel.dataset.ready = "";
}

function heading(model) {
  const summary = model.all.serving_default?.summary || "";
  const kind = plain(model.signatures.pipeline);
  return [
    h("p", { class: "note", role: "status" }),
    h("h2", {}, plain(model.name)),
    h("p", { class: "quiet" }, [kind, `version ${model.version}`].filter(Boolean).join(", "), ". ", summary),
  ];
}

/** What is seldom wanted: made when it is opened. */
function more(title, make) {
  const place = h("div");
  const details = h("details", { class: "card" }, h("summary", {}, title), place);
  details.addEventListener("toggle", () => details.open && !place.firstChild && place.append(make()));
  return details;
}
