// Tables that grow: a file that is read on as it grows, where the browser can, and rows that are added by hand.

import { button, field, h } from "./page.js";

const EVERY = 1_000; // milliseconds between two looks at a file
const MOST = 4 * 1024 ** 2; // bytes that are read at a time

/**
 * The part of a page for a table that grows.
 *
 * begin(text): takes a table whose first line may name its columns; goOn(text): takes rows that follow the last ones;
 * status: the page's line. Returns the part, and how to stop following.
 */
export function growing({ begin, goOn, status }) {
  const rows = h("textarea", { class: "code short", spellcheck: "false", rows: 3 });
  let stop = null;

  const add = button("Add the rows", async () => {
    add.disabled = true; // pressed twice, they would be added twice
    try {
      if (!rows.value.trim()) throw new Error("There are no rows to add.");
      await goOn(rows.value);
      rows.value = "";
    } catch (error) {
      status.fail(error);
    } finally {
      add.disabled = false;
    }
  });
  const follow = button("Follow a growing file", async () => {
    if (stop) return stop.abort();
    let file;
    try {
      [file] = await window.showOpenFilePicker({ types: [{ description: "Tables", accept: { "text/csv": [".csv", ".tsv", ".txt", ".log"] } }] });
    } catch (error) {
      return error.name === "AbortError" ? undefined : status.fail(error);
    }
    stop = new AbortController();
    follow.textContent = "Stop following";
    try {
      let first = true;
      for await (const text of wholeLines(file, stop.signal)) {
        await (first ? begin(text) : goOn(text));
        first = false;
        status.line.textContent += ` Following ${file.name}…`;
      }
      status.say(`Stopped following ${file.name}.`);
    } catch (error) {
      status.fail(error);
    } finally {
      stop = null;
      follow.textContent = "Follow a growing file";
    }
  });
  const can = typeof window.showOpenFilePicker === "function";
  const hint = can ? "" : "This browser does not read a file on while it grows (Chromium does): add its new rows here.";
  const part = h(
    "details",
    {},
    h("summary", {}, "A table that grows"),
    h("p", { class: "quiet" }, can ? "A file is looked at every second, and its new lines are added; a line counts when it has ended." : hint),
    can ? h("div", { class: "row" }, follow) : null,
    field("Rows that follow", rows, "without the line of names", true),
    h("div", { class: "row" }, add),
  );
  return { part, stop: () => stop?.abort() };
}

/** The lines of a file, those too that are written later, several at a time and only whole ones, until it is stopped. */
export async function* wholeLines(handle, signal, every = EVERY) {
  let read = 0;
  while (!signal.aborted) {
    const file = await looked(handle);
    if (file.size < read) throw new Error(`${handle.name} has become shorter than it was: follow it anew.`);
    const bytes = new Uint8Array(await file.slice(read, read + MOST).arrayBuffer());
    const end = bytes.lastIndexOf(10) + 1; // no part of another character of UTF-8 is a 10
    if (!end && bytes.length === MOST) throw new Error(`${handle.name}: a line is longer than ${MOST} bytes.`);
    if (end) {
      read += end;
      yield new TextDecoder().decode(bytes.subarray(0, end));
    }
    if (read === file.size || !end) await pause(every, signal);
  }
}

async function looked(handle) {
  try {
    return await handle.getFile();
  } catch (error) {
    throw new Error(`${handle.name} cannot be read any more (${error.message}).`);
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
