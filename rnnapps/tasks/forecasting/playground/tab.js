// Forecasting: a table of the past, and a fan of what may follow.

import { below, columns, namesOf, numbers, seconds, timeColumn, toCsv } from "../../files/csv.js";
import { growing } from "../../files/growing.js";
import { button, card, download, examples, field, fileBeside, filePicker, h, runner, select, statusLine, table } from "../../files/page.js";
import { linePlot } from "../../files/plots.js";

const MOST_DRAWN = 160; // rows of the past beside the forecast
const MOST_KEPT = 5_000; // rows of a table that grows and grows

export function tab(model) {
  const scaler = model.preprocessing["scaler.json"], rules = model.preprocessing["series.json"];
  const known = model.preprocessing["known.json"].channels, fixed = model.preprocessing["static.json"].channels;
  const parts = { channels: scaler.channels, known, fixed, categories: Object.keys(rules.categories), texts: Object.keys(rules.static_texts) };
  const inputs = model.all.serving_default.inputs, levels = model.settings.model?.quantiles ?? [];
  const status = statusLine(), text = h("textarea", { class: "code", spellcheck: "false", rows: 8 }), found = h("div");
  const series = select([...scaler.series, "(another)"], scaler.series[0]);

  const ask = async () => {
    const given = columns(text.value, [...parts.channels, ...known, ...parts.categories, ...fixed, ...parts.texts]);
    const time = timeColumn(given, rules.reading.time);
    const row = request(given, parts, { inputs, time, horizon: model.all.serving_default.outputs.mean.shape[1] });
    if ("series" in inputs) row.series = series.value;
    const answer = await model.ask("serving_default", row);
    show({ row, answer, parts, levels, labels: time ? given[time].slice(0, row.lengths) : undefined, found });
    return `Forecast of ${answer.mean.length} rows from ${row.lengths} rows of the past.`;
  };
  const forecast = runner("Forecast", status, () => {
    more.stop();
    return ask();
  });
  const again = async (content) => {
    text.value = content;
    const count = content.trim().split("\n").length - (namesOf(content) ? 1 : 0), needed = rules.needed_history;
    status.say(count < needed ? `${count} rows so far, of ${needed} that a forecast needs.` : await ask());
  };
  const goOn = (rows) => again(newest(text.value, rows));
  const more = growing({ begin: (content) => again(newest(namesOf(content), content)), goOn, status });

  const take = (content, name) => {
    text.value = content;
    if (name) series.value = name;
    forecast.click();
  };
  const plain = parts.channels.length === 1 && parts.channels[0] === "value" && !known.length && !fixed.length && !parts.categories.length;
  const choices = plain ? [["Sunspots by year", ["sunspots.csv", "sunspots"]], ["The Pacific by month, °C", ["elnino.csv", "elnino"]]] : [];
  const stored = parts.categories.length || known.length || fixed.length ? [] : (model.examples.serving_default ?? []);
  choices.push(...stored.slice(0, 2).map((row, place) => [`Stored request ${place + 1}`, row]));
  const chosen = async (choice) => {
    if (Array.isArray(choice)) return take(await (await fileBeside(choice[0], import.meta.url)).text(), scaler.series.includes(choice[1]) ? choice[1] : "(another)");
    return take(toCsv(parts.channels, choice.history.slice(0, choice.lengths).map((values) => values.map((value) => value ?? ""))), choice.series);
  };
  const later = known.length || parts.categories.length ? ` The last rows are the future: their ${parts.channels.join(", ")} is empty, and ${[...known, ...parts.categories].join(", ")} known.` : "";
  return h(
    "div",
    {},
    card(
      field("Rows of the past, the oldest first", text, `Comma-separated values; the first line names the columns: ${[...parts.channels, ...known, ...parts.categories, ...fixed, ...parts.texts].join(", ")}. At least ${rules.needed_history} rows; an empty cell is a missing value.${later}`, true),
      examples(choices, chosen, status),
      h("div", { class: "fields" }, filePicker("A file of them", ".csv,.tsv,.txt,text/csv", async (file) => take(await file.text())), "series" in inputs ? field("Series", series, "whose scale is used; (another) for one that the model has not seen") : null),
      h("div", { class: "row" }, forecast),
      status.line,
      more.part,
    ),
    found,
  );
}

/** The last rows of a table and of those that follow it, below its line of names. */
function newest(table, rows) {
  const names = namesOf(table), lines = below(names, rows).trim().split("\n");
  const old = table.trim().split("\n").slice(names ? 1 : 0).filter(Boolean), all = [...old, ...lines.slice(names ? 1 : 0)];
  return [...(names ? [names] : []), ...all.slice(-MOST_KEPT)].join("\n") + "\n";
}

/** The inputs of one row of the signature. */
function request(given, { channels, known, fixed, categories, texts }, { inputs, time, horizon }) {
  const matrix = (names, read = numbers) => {
    const read_columns = names.map((name) => read(given[name], name));
    return given[names[0]].map((_, row) => read_columns.map((column) => column[row]));
  };
  const all = matrix(channels), ahead = known.length || categories.length ? horizon : 0, count = all.length - ahead;
  if (count < 1) throw new Error(`${all.length} rows found, of which the last ${horizon} are the future; some of the past expected too.`);
  const row = { history: all.slice(0, count), lengths: count };
  if ("last_time" in inputs) {
    if (!time) throw new Error("The model reads the calendar: a column of times is missing, such as time.");
    row.last_time = seconds(given[time], time)[count - 1];
  }
  const cells = (names) => matrix(names, (column) => column);
  if (known.length) [row.known_history, row.known_future] = [matrix(known).slice(0, count), matrix(known).slice(count)];
  if (categories.length) [row.categories_history, row.categories_future] = [cells(categories).slice(0, count), cells(categories).slice(count)];
  if (fixed.length) row.static = matrix(fixed)[0];
  if (texts.length) row.static_texts = cells(texts)[0];
  return row;
}

function show({ row, answer, parts, levels, labels, found }) {
  const skipped = Math.max(0, row.lengths - MOST_DRAWN), past = row.history.slice(skipped), from = past.length;
  const ahead = answer.mean.map((_, step) => `+${step + 1}`);
  const axis = [...(labels?.slice(skipped) ?? past.map((_, at) => String(at + skipped))), ...ahead];
  const middle = levels.indexOf(0.5);
  const plots = parts.channels.map((name, channel) => {
    const last = past.at(-1)[channel], at = (place) => answer.quantiles.map((step) => step[channel][place]);
    const joined = (values) => (Number.isFinite(last) ? [last, ...values] : values), start = Number.isFinite(last) ? from - 1 : from;
    const bands = levels.slice(0, Math.floor(levels.length / 2)).map((level, place) => {
      const top = levels.length - 1 - place;
      return { name: `${Math.round(100 * (levels[top] - level))} % of futures`, low: joined(at(place)), high: joined(at(top)), from: start, colour: 1 };
    });
    const centre = middle >= 0 ? at(middle) : answer.mean.map((step) => step[channel]);
    return linePlot({
      title: name,
      lines: [{ name: "past", values: past.map((values) => values[channel]), colour: 0 }, { name: middle >= 0 ? "median" : "mean", values: joined(centre), from: start, colour: 1 }],
      bands,
      labels: axis,
      height: 300,
    });
  });
  const heads = ["row", ...parts.channels.flatMap((name) => [`${name}, mean`, ...levels.map((level) => `${name}, ${level}`)])];
  const lines = answer.mean.map((step, at) => [`+${at + 1}`, ...parts.channels.flatMap((_, channel) => [step[channel], ...answer.quantiles[at][channel]])]);
  const keep = button("Download the forecast (CSV)", () => download("forecast.csv", toCsv(heads, lines), "text/csv"));
  found.replaceChildren(card(plots, h("details", {}, h("summary", {}, "Numbers"), table(heads, lines)), h("div", { class: "row" }, keep)));
}
