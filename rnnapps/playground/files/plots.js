// Plots that fit their place, follow the page's colours, and are drawn again when the place changes.

import { h, shown } from "./page.js";

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 52, RIGHT = 10, TOP = 8, BOTTOM = 24;

function s(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Calls a function with the width of an element, now and whenever it changes. */
export function fitted(element, draw) {
  let width = 0;
  new ResizeObserver(() => {
    const now = Math.round(element.clientWidth);
    if (now && now !== width) draw((width = now));
  }).observe(element);
  return element;
}

/** Round numbers between two values. */
export function ticks(low, high, about) {
  const raw = (high - low) / Math.max(1, about);
  if (!(raw > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

/**
 * Lines over a common axis.
 *
 * lines: {name, values, from = 0, colour, dashed}; bands: {name, low, high, from, colour}; spans: [first, last] places
 * that are marked; range: [low, high] of the axis, by default that of the values; labels: what stands below a place; title: what the plot shows, for who does not see it too.
 */
export function linePlot({ title, lines, bands = [], spans = [], range, labels, height = 220, marked = "" }) {
  const keys = [
    ...lines.filter((line) => line.name).map((line) => h("span", { class: `key c${line.colour}` }, line.name)),
    ...bands.filter((band) => band.name).map((band, place) => h("span", { class: `key faint${place ? " deeper" : ""} c${band.colour}` }, band.name)),
    spans.length && marked ? h("span", { class: "key faint bad-text" }, marked) : null,
  ];
  const place = h("div");
  const figure = h("figure", { role: "img", "aria-label": title }, h("figcaption", {}, h("b", {}, title), keys.filter(Boolean)), place);
  const numbers = [...lines.flatMap((line) => line.values), ...bands.flatMap((band) => [...band.low, ...band.high])].filter(Number.isFinite);
  const count = Math.max(...[...lines.map((line) => (line.from ?? 0) + line.values.length), 2]);
  let [low, high] = range ?? [Math.min(...numbers), Math.max(...numbers)];
  if (!numbers.length) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - 1, high + 1];
  fitted(place, (width) => {
    const svg = s("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, height, "aria-hidden": "true" });
    const x = (at) => LEFT + ((width - LEFT - RIGHT) * at) / (count - 1);
    const y = (value) => TOP + ((height - TOP - BOTTOM) * (high - value)) / (high - low);
    for (const value of ticks(low, high, 4)) {
      svg.append(s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }));
      svg.append(s("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, shown(value)));
    }
    for (const at of ticks(0, count - 1, Math.max(2, Math.floor(width / 130))).filter(Number.isInteger)) {
      const label = labels?.[at] ?? String(at);
      svg.append(s("text", { x: x(at), y: height - 6, "text-anchor": at > count * 0.93 ? "end" : at ? "middle" : "start" }, label));
    }
    for (const [first, last] of spans) {
      const wide = Math.max(2, x(last) - x(first) + (width - LEFT - RIGHT) / (count - 1));
      svg.append(s("rect", { class: "span", x: Math.max(LEFT, x(first) - 0.5), y: TOP, width: wide, height: height - TOP - BOTTOM }));
    }
    for (const band of bands) {
      const from = band.from ?? 0;
      const up = band.high.map((value, at) => `${x(from + at)},${y(value)}`);
      const down = band.low.map((value, at) => `${x(from + at)},${y(value)}`).reverse();
      svg.append(s("polygon", { class: `band c${band.colour}`, points: [...up, ...down].join(" ") }));
    }
    for (const line of lines) {
      svg.append(s("path", { class: `line c${line.colour}${line.dashed ? " dashed" : ""}`, d: pathOf(line, x, y) }));
    }
    place.replaceChildren(svg);
  });
  return figure;
}

/** A path that is broken where values are missing. */
function pathOf(line, x, y) {
  let pen = "M", path = "";
  line.values.forEach((value, at) => {
    if (!Number.isFinite(value)) pen = "M";
    else {
      path += `${pen}${x((line.from ?? 0) + at).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
    }
  });
  return path;
}

/** The colour of a role of the page, as canvas wants it. */
export function colour(role) {
  return getComputedStyle(document.documentElement).getPropertyValue(role).trim();
}
