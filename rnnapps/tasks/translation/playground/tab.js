// Translating: the best translation, where each piece of it looked, and the others that were found.

import { bars, card, examples, field, h, runner, shown, statusLine, table } from "../../files/page.js";

const NONE = -1e8; // scores below stand for translations that do not exist

export function tab(model) {
  const status = statusLine(), sentence = h("textarea", {}), found = h("div");
  const translate = runner("Translate", status, async () => {
    const answer = await model.ask("serving_default", { sentence: sentence.value });
    found.replaceChildren(best(answer), others(answer));
    return `Log-probability over its length norm: ${shown(answer.score)}.`;
  });
  sentence.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && translate.click());
  const known = (model.examples.serving_default ?? []).map((row) => row.sentence).filter((text) => typeof text === "string" && text.trim());
  const choices = [...(builtIn(model) ? DATES : []), ...known.slice(0, 2)];
  return h(
    "div",
    {},
    card(
      field("Sentence", sentence, `${model.all.serving_default.problems.join("; ")}. Ctrl+Enter translates.`, true),
      examples(choices.map((text) => [text.length > 40 ? `${text.slice(0, 40)}…` : text, text]), (text) => {
        sentence.value = text;
        translate.click();
      }),
      h("div", { class: "row" }, translate),
      status.line,
    ),
    found,
  );
}

const DATES = ["Tue, Mar 28 and 9.56 Polish zlotys", "2/25/28, 9:12 PM", "44.50 Czech korunas"];

/** Whether it is a model of the built-in phrases, which these examples are made for. */
function builtIn(model) {
  const pieces = model.preprocessing["source/pieces.json"]?.pieces ?? [];
  return ["▁pounds", "▁September", "▁hours"].every((piece) => pieces.includes(piece));
}

function best(answer) {
  const pieces = answer.target_pieces.slice(0, answer.target_lengths), source = answer.source_pieces.slice(0, answer.source_lengths);
  const rows = [...pieces.map((piece) => piece.trim() || "␣"), "(end)"], sources = source.map((piece, place) => piece.trim() || (place === source.length - 1 ? "(end)" : "␣"));
  const likely = rows.map((piece, place) => [h("code", {}, piece), Math.exp(answer.log_probabilities[place])]);
  return card(
    h("h3", {}, "Translation"),
    h("p", { lang: "", id: "translation" }, answer.translation || "(empty)"),
    h("h3", {}, "Probability of each piece"),
    bars(likely),
    h("h3", {}, "Where each piece looked"),
    attention(rows, sources, answer.attention),
  );
}

/** The attention as a table of shades; each cell says its value to who points at it or hears it. */
function attention(rows, sources, weights) {
  const cell = (weight) => {
    const shade = h("td", { class: "shade", title: shown(weight) });
    shade.style.setProperty("--shade", `${Math.round(100 * Math.min(1, weight))}%`);
    shade.append(h("span", { class: "hidden-text" }, shown(weight)));
    return shade;
  };
  const head = h("tr", {}, h("td"), sources.map((piece) => h("th", { scope: "col", class: "turned" }, h("span", {}, piece))));
  const body = rows.map((piece, row) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, piece)), sources.map((_, place) => cell(weights[row][place]))));
  const map = h("table", { class: "attention" }, h("thead", {}, head), h("tbody", {}, body));
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Attention: rows are pieces of the translation, columns those of the sentence" }, map);
}

function others(answer) {
  const rows = answer.translations.map((text, place) => [place + 1, text, answer.scores[place]]).filter(([, , score]) => score > NONE);
  return card(h("h3", {}, `The ${rows.length} best translations`), table(["", "translation", "score"], rows));
}
