// Watching: a table of sensors is judged row by row, with the sensors behind each flag, and goes on as it grows.

import { below, columns, namesOf, numbers, seconds, timeColumn, toCsv } from "../../files/csv.js";
import { growing } from "../../files/growing.js";
import { button, card, download, examples, field, fileBeside, filePicker, h, runner, select, statusLine, table } from "../../files/page.js";
import { linePlot } from "../../files/plots.js";

const CHUNK = 500; // rows of a request: the plot grows while a long table is judged
const MOST_DRAWN = 4; // sensors
const MOST_KEPT = 20_000; // rows of a table that grows and grows; older ones leave the page, but not the model's states
const JUDGED = ["score", "threshold", "flag", "contribution", "silent"];

export const alone = ["rows"]; // where there is no server, nothing is asked for but steps that read these

export function tab(model) {
  const rows = model.preprocessing["rows.json"], scaler = model.preprocessing["scaler.json"];
  const sensors = scaler.channels, targets = rows.targets, named = "series" in model.all.step.inputs;
  const status = statusLine(), text = h("textarea", { class: "code", spellcheck: "false", rows: 8 });
  const series = select(["(another)", ...rows.series], rows.series[0]), found = h("div");
  const watch = watcher(model, { rows, sensors, name: () => (named ? { series: series.value } : {}), drawn: (seen) => show({ ...seen, sensors, targets, found }) });

  const told = () => {
    const { count, judged } = watch.seen(), kept = judged.flag.length, flagged = judged.flag.filter(Boolean).length;
    const events = eventsOf(judged.flag).length, which = count > kept ? `the last ${kept.toLocaleString("en")}` : "them";
    return `${count.toLocaleString("en")} rows, ${flagged} of ${which} flagged, in ${events} ${events === 1 ? "event" : "events"}.`;
  };
  const judged = (judge) => async (given) => {
    await judge(given);
    status.say(told());
  };
  const more = growing({ begin: judged(watch.begin), goOn: judged(watch.goOn), status });
  const judge = runner("Judge the rows", status, async () => {
    more.stop();
    await watch.begin(text.value);
    return told();
  });

  const take = async (content) => {
    text.value = content;
    judge.click();
  };
  const choices = [];
  if (["load", "speed", "current", "temperature", "vibration", "pressure", "flow", "ambient"].every((name, place) => sensors[place] === name)) {
    choices.push(["A machine with a spike, a stuck sensor and a burst of noise", "machine.csv"]);
  }
  const stored = (model.examples.serving_default ?? []).map((row, place) => [`Stored request ${place + 1}`, row]).filter(([, row]) => row.lengths > 1);
  choices.push(...stored.slice(0, 2));
  return h(
    "div",
    {},
    card(
      field("Rows of sensors", text, `Comma-separated values; the first line names the columns: ${sensors.join(", ")}. A column of times is shown, others are left out, and an empty cell is a missing value.`, true),
      examples(choices, async (chosen) => take(typeof chosen === "string" ? await (await fileBeside(chosen, import.meta.url)).text() : toCsv(sensors, chosen.rows.slice(0, chosen.lengths).map((row) => row.map((value) => (Math.abs(value) < 1e30 ? value : ""))))), status),
      h("div", { class: "fields" }, filePicker("A file of them", ".csv,.tsv,.txt,text/csv", async (file) => take(await file.text())), named ? field("Series", series, "whose scales are used") : null),
      h("div", { class: "row" }, judge),
      status.line,
      more.part,
    ),
    found,
  );
}

/** Judges rows that go on where the ones before them ended, and keeps what was found of the last of them. */
function watcher(model, { rows, sensors, name, drawn }) {
  let stream, names, seen;

  async function judge(text) {
    const given = columns(text, sensors), values = sensors.map((sensor) => numbers(given[sensor], sensor)), count = values[0].length;
    const time = timeColumn(given, rows.reading.time);
    if (rows.calendar && !time) throw new Error("The model reads the calendar: a column of times is missing, such as time.");
    const at = rows.calendar ? seconds(given[time], time) : null, series = name();
    for (let first = 0; first < count; first += CHUNK) {
      const part = Array.from({ length: Math.min(CHUNK, count - first) }, (_, row) => values.map((column) => column[first + row]));
      const answer = await stream.send({ rows: part, lengths: part.length, ...series, ...(at ? { seconds: at.slice(first, first + part.length) } : {}) });
      part.forEach((_, row) => seen.labels.push(time ? given[time][first + row] : String(seen.count + row)));
      part[0].forEach((_, sensor) => seen.values[sensor].push(...part.map((row) => row[sensor])));
      for (const output of JUDGED) seen.judged[output].push(...answer[output]);
      seen.count += part.length;
      const old = Math.max(0, seen.labels.length - MOST_KEPT);
      for (const list of [seen.labels, ...seen.values, ...Object.values(seen.judged)]) list.splice(0, old);
      drawn(seen);
    }
  }

  async function begin(text) {
    [stream, names] = [model.stream("step"), namesOf(text)];
    seen = { count: 0, labels: [], values: sensors.map(() => []), judged: Object.fromEntries(JUDGED.map((output) => [output, []])) };
    await judge(text);
  }

  return { seen: () => seen, begin, goOn: (text) => (seen ? judge(below(names, text)) : begin(text)) };
}

/** Stretches of flagged rows, [first, last]. */
export function eventsOf(flags) {
  const events = [];
  flags.forEach((flag, row) => {
    if (flag && row && flags[row - 1]) events.at(-1)[1] = row;
    else if (flag) events.push([row, row]);
  });
  return events;
}

function show({ values, labels, judged, sensors, targets, found }) {
  const spans = eventsOf(judged.flag);
  const told = spans.map(([first, last]) => ({ first, last, peak: Math.max(...judged.score.slice(first, last + 1)), sensors: behind(judged.contribution, first, last, targets) }));
  const suspected = [...new Set(told.flatMap((event) => event.sensors.slice(0, 1).map(([name]) => name)))].slice(0, MOST_DRAWN);
  const drawn = suspected.length ? suspected : targets.slice(0, 2);
  const when = (row) => labels[row];
  const sensorPlot = (name, colour) => linePlot({ title: name, lines: [{ values: values[sensors.indexOf(name)], colour }], spans, labels, height: 150, marked: "flagged" });
  const plots = drawn.map((name, place) => sensorPlot(name, place));
  const list = table(
    ["from", "to", "highest score", "sensors behind it"],
    told.map((event) => [when(event.first).replaceAll("-", "\u2011"), later(when(event.first), when(event.last)), event.peak, event.sensors.map(([name, share]) => `${name} ${Math.round(100 * share)} %`).join(", ") || "silence"]),
  );
  const score = linePlot({
    title: "Anomaly score",
    lines: [{ name: "score", values: judged.score, colour: 0 }, { name: "threshold", values: judged.threshold, colour: 1, dashed: true }],
    spans,
    labels,
    marked: "flagged",
  });
  const rest = sensors.filter((name) => !drawn.includes(name)), other = select(rest), another = h("div");
  const drawOther = () => another.replaceChildren(sensorPlot(other.value, 5));
  if (rest.length) drawOther();
  other.addEventListener("change", drawOther);
  const keep = button("Download the judgement (CSV)", () => {
    const lines = judged.score.map((value, row) => [when(row), value, judged.threshold[row], judged.flag[row] ? 1 : 0, judged.silent[row] ? 1 : 0, ...judged.contribution[row]]);
    download("judged.csv", toCsv(["row", "score", "threshold", "flag", "silent", ...targets.map((name) => `share of ${name}`)], lines), "text/csv");
  });
  found.replaceChildren(
    card(score, h("h3", {}, spans.length ? "Events" : "No row is flagged"), spans.length ? list : null, h("div", { class: "row" }, keep)),
    card(h("h3", {}, "Sensors"), plots, rest.length ? [field("Another sensor", other), another] : null),
  );
}

/** A time without the day that it shares with another. */
function later(from, to) {
  const day = from.split(" ")[0];
  return from.includes(" ") && to.startsWith(`${day} `) ? to.slice(day.length + 1) : to;
}

/** The three sensors with the largest share of some rows. */
function behind(contribution, first, last, targets) {
  const shares = targets.map((name, place) => [name, contribution.slice(first, last + 1).reduce((sum, row) => sum + row[place], 0)]);
  const all = shares.reduce((sum, [, share]) => sum + share, 0);
  if (!(all > 0)) return [];
  return shares.map(([name, share]) => [name, share / all]).sort((a, b) => b[1] - a[1]).slice(0, 3).filter(([, share]) => share >= 0.05);
}
