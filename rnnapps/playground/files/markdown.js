// The Markdown of model cards as elements: headings, paragraphs, lists, tables, code. Whatever else stays text.

import { h } from "./page.js";

/** The blocks of a text. */
export function markdown(text) {
  const blocks = [], lines = text.split("\n");
  while (lines.length) {
    if (!lines[0].trim()) lines.shift();
    else blocks.push(block(lines));
  }
  return h("div", { class: "markdown" }, blocks);
}

/** Takes the first block off the lines. */
function block(lines) {
  const while_ = (test) => {
    const end = lines.findIndex((line) => !test(line));
    return lines.splice(0, end < 0 ? lines.length : end);
  };
  if (/^```/.test(lines[0])) {
    lines.shift();
    const code = while_((line) => !/^```/.test(line));
    lines.shift();
    return h("pre", {}, code.join("\n"));
  }
  const heading = /^(#{1,6})\s+(.*)$/.exec(lines[0]);
  if (heading) {
    lines.shift();
    return h(`h${Math.min(6, heading[1].length + 2)}`, {}, inline(heading[2]));
  }
  if (/^\s*\|/.test(lines[0])) return tableOf(while_((line) => /^\s*\|/.test(line)));
  if (isItem(lines[0])) return h("ul", {}, itemsOf(while_((line) => line.trim())).map((item) => h("li", {}, inline(item))));
  const first = lines.shift(), others = while_((line) => line.trim() && !/^(```|#{1,6}\s|\s*\|)/.test(line) && !isItem(line));
  return h("p", {}, inline([first, ...others].join(" ")));
}

const isItem = (line) => /^\s*[-*]\s+/.test(line);

/** Items of a list; a line that begins none goes on with the one before it. */
function itemsOf(lines) {
  const items = [];
  for (const line of lines) {
    if (isItem(line)) items.push(line.replace(/^\s*[-*]\s+/, ""));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return items;
}

function tableOf(lines) {
  const rows = lines.map((line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|")));
  const ruled = rows.length > 1 && rows[1].every((cell) => /^:?-+:?$/.test(cell)), [head, ...body] = ruled ? [rows[0], ...rows.slice(2)] : [[], ...rows];
  const kinds = rows[0].map((_, column) => (body.length && body.every((cells) => /^-?[\d.,]+( %)?$/.test(cells[column] ?? "")) ? "number" : ""));
  const row = (cells) => h("tr", {}, cells.map((cell, column) => h("td", { class: kinds[column] }, inline(cell))));
  const names = head.map((name, column) => h("th", { scope: "col", class: kinds[column] }, inline(name)));
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": head.filter(Boolean).join(", ") || "Table" }, h("table", {}, h("thead", {}, h("tr", {}, names)), h("tbody", {}, body.map(row))));
}

/** Text with `code` and **strong** parts. */
function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (/^`[^`]+`$/.test(part)) return h("code", {}, part.slice(1, -1));
    if (/^\*\*[^*]+\*\*$/.test(part)) return h("strong", {}, part.slice(2, -2));
    return part;
  });
}
