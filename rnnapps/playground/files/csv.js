// Tables of comma-separated values, as people paste them.

/** Rows of cells; the separator is whichever of , ; and tab the first line has most of. */
export function parseCsv(text) {
  const first = text.split("\n", 1)[0];
  const separator = [",", ";", "\t"].map((sign) => [first.split(sign).length, sign]).sort((a, b) => b[0] - a[0])[0][1];
  const rows = [[""]];
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at], row = rows[rows.length - 1];
    if (quoted && sign === '"' && text[at + 1] === '"') {
      row[row.length - 1] += '"';
      at += 1;
    } else if (sign === '"') quoted = !quoted;
    else if (sign === separator && !quoted) row.push("");
    else if (sign === "\n" && !quoted) rows.push([""]);
    else if (sign !== "\r" || quoted) row[row.length - 1] += sign;
  }
  return rows.map((row) => row.map((cell) => cell.trim())).filter((row) => row.some(Boolean));
}

/** Column name -> its cells, of a table whose first line names them; one column of bare numbers needs no name. */
export function columns(text, wanted) {
  const rows = parseCsv(text);
  if (!rows.length) throw new Error("There are no rows: paste a table of comma-separated values, or choose an example.");
  const numbers = rows[0].every((cell) => cell !== "" && !Number.isNaN(Number(cell)));
  if (numbers && rows[0].length !== wanted.length) {
    throw new Error(`The first line names no columns, and has ${rows[0].length} numbers where ${wanted.length} are expected: ${wanted.join(", ")}.`);
  }
  const names = numbers ? wanted : rows.shift();
  const uneven = rows.findIndex((row) => row.length !== names.length);
  if (uneven >= 0) throw new Error(`Row ${uneven + 1} has ${rows[uneven].length} cells, ${names.length} expected: ${names.join(", ")}.`);
  const missing = wanted.filter((name) => !names.includes(name));
  if (missing.length) throw new Error(`Columns ${missing.join(", ")} are missing; found ${names.join(", ")}.`);
  return Object.fromEntries(names.map((name, place) => [name, rows.map((row) => row[place])]));
}

/** A table of rows that follow another one: below its line of names, if that has one. */
export function below(names, rows) {
  return names && rows.trimStart().split("\n", 1)[0].trim() !== names ? `${names}\n${rows}` : rows;
}

/** The line of names of a table; nothing if it begins with numbers. */
export function namesOf(text) {
  const first = text.trimStart().split("\n", 1)[0].trim();
  return parseCsv(first)[0]?.every((cell) => cell !== "" && !Number.isNaN(Number(cell))) ? "" : first;
}

/** Numbers of a column; empty cells, "nan" and "-" are missing. */
export function numbers(cells, name) {
  return cells.map((cell, row) => {
    if (/^(|-|nan|na|n\/a|null|none)$/i.test(cell)) return NaN;
    const value = Number(cell.replace(/^(-?\d+),(\d+)$/, "$1.$2"));
    if (Number.isNaN(value)) throw new Error(`Row ${row + 1}, column ${name}: ${JSON.stringify(cell)} is no number.`);
    return value;
  });
}

/** Seconds since 1970 of a column of times; those without a zone are UTC. */
export function seconds(cells, name) {
  return cells.map((cell, row) => {
    const zoned = /[zZ]$|[+-]\d\d:?\d\d$/.test(cell);
    const value = /^-?\d{6,}$/.test(cell) ? Number(cell) : Date.parse(zoned || !/\d:\d/.test(cell) ? cell : `${cell.replace(" ", "T")}Z`) / 1000;
    if (Number.isNaN(value)) throw new Error(`Row ${row + 1}, column ${name}: ${JSON.stringify(cell)} is no time such as 2024-05-01 12:00.`);
    return Math.round(value);
  });
}

/** Text of a table; cells that a spreadsheet would run as a formula get an apostrophe. */
export function toCsv(names, rows) {
  const cell = (value) => {
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

/** The first column that looks like times, if there is one. */
export function timeColumn(found, named = "") {
  if (named && named in found) return named;
  return Object.keys(found).find((name) => /^(time|date|datetime|timestamp|month|year|day|ds)$/i.test(name));
}
