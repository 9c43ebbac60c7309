// The server's models, asked by the client that any page may use, and what the server tells of them.

import "./rnnapps.js";

const { Client, RowsRefused } = globalThis.rnnapps;
const BEARER = "rnnapps.token";

/** What the server tells of its models. */
export async function fetchJson(path) {
  return withToken(async (token) => {
    const answer = await fetch(path, { headers: token ? { authorization: `Bearer ${token}` } : {} });
    const content = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(content.error ?? `The server answers with status ${answer.status}.`), { status: answer.status });
    return content;
  });
}

/** Does something with the token that is known, and asks for another where the server refuses it. */
async function withToken(run) {
  try {
    return await run(sessionStorage.getItem(BEARER) ?? "");
  } catch (error) {
    if (error instanceof TypeError && /fetch/i.test(error.message)) throw new Error("The server does not answer. Is it still running?");
    const given = error.status === 401 && window.prompt("This server wants its token (the content of its --token_file):");
    if (!given) throw error;
    sessionStorage.setItem(BEARER, given.trim());
    return withToken(run);
  }
}

/** A model of the server: what it tells, and how to ask it. */
export class Model {
  constructor(place, told) {
    Object.assign(this, place, told);
    this.all = told.signatures?.signatures ?? {};
  }

  get client() {
    const token = sessionStorage.getItem(BEARER) ?? undefined;
    this.asked ??= new Client(location.origin, this.name, { version: this.version, token });
    return this.asked;
  }

  /** The tab that the pipeline brings, `playground/tab.js` beside its module. */
  ownTab() {
    return import(`../tabs/${this.signatures.pipeline}/tab.js`);
  }

  /** Outputs of several rows, name -> rows; `problem` is one of them. */
  predict(name, inputs) {
    return this.client.predict(inputs, { signature: name, problems: "return" });
  }

  /** Outputs of one row; what it is refused for is thrown. Inputs that are not given have their defaults. */
  async ask(name, row) {
    return firstOf(this.client.predict(columns(row), { signature: name }));
  }

  /** A stream of one row over a signature with states. */
  stream(name) {
    let stream = null;
    return {
      send: async (row, signal) => {
        signal?.throwIfAborted();
        stream ??= await this.client.stream({ signature: name });
        return firstOf(stream.send(columns(row)));
      },
    };
  }
}

const columns = (row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, [value]]));

/** The only row of an answer; a refusal in the model's own words. */
async function firstOf(answer) {
  try {
    return Object.fromEntries(Object.entries(await answer).map(([name, rows]) => [name, rows[0]]));
  } catch (error) {
    throw error instanceof RowsRefused ? new Error(error.problems[0]) : error;
  }
}
