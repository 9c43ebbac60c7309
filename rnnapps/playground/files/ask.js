// Asks the server's models over REST, in columns. Streams go on from the states of the answer before.

const BEARER = "rnnapps.token";

export class Refused extends Error {}

/** JSON with NaN where a number is missing: the server reads it, JSON.stringify does not write it. */
export function asJson(value) {
  if (typeof value === "number") return Number.isNaN(value) ? "NaN" : String(value);
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(asJson).join(",")}]`;
  if (ArrayBuffer.isView(value)) return asJson(Array.from(value));
  if (value !== null && typeof value === "object") {
    return `{${Object.entries(value).map(([name, part]) => `${JSON.stringify(name)}:${asJson(part)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** The answer to a request as JSON; asks for the token where the server wants one. */
export async function fetchJson(path, body = undefined, signal = undefined) {
  const token = sessionStorage.getItem(BEARER);
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  let answer;
  try {
    answer = await fetch(path, body === undefined ? { headers, signal } : { method: "POST", body, headers, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server does not answer. Is it still running?");
  }
  if (answer.status === 401) {
    const given = window.prompt("This server wants its token (the content of its --token_file):");
    if (given) {
      sessionStorage.setItem(BEARER, given.trim());
      return fetchJson(path, body, signal);
    }
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(content.error ?? `The server answers with status ${answer.status}.`);
  return content;
}

/** A model of the server. */
export class Model {
  constructor(place, told) {
    Object.assign(this, place, told);
    this.all = told.signatures?.signatures ?? {};
  }

  /** Outputs of several rows, name -> array. Inputs are columns. */
  async predict(name, inputs, signal) {
    const path = `/v1/models/${encodeURIComponent(this.name)}/versions/${this.version}:predict`;
    const { outputs } = await fetchJson(path, asJson({ signature_name: name, inputs }), signal);
    const names = Object.keys(this.all[name].outputs);
    return names.length === 1 ? { [names[0]]: outputs } : outputs;
  }

  /** Outputs of one row; what it is refused for is thrown. Inputs that are not given have their defaults. */
  async ask(name, row, signal) {
    const inputs = {};
    for (const [input, tensor] of Object.entries(this.all[name].inputs)) {
      inputs[input] = [row[input] ?? (tensor.next ? zeros(tensor) : tensor.default)];
      if (inputs[input][0] === undefined) throw new Refused(`${input} is missing: ${tensor.meaning}`);
    }
    const outputs = await this.predict(name, inputs, signal);
    const first = Object.fromEntries(Object.entries(outputs).map(([output, values]) => [output, values[0]]));
    if (first.problem) throw new Refused(first.problem);
    return first;
  }

  /** A stream over a signature with states. */
  stream(name) {
    return new Stream(this, name);
  }
}

class Stream {
  constructor(model, name) {
    Object.assign(this, { model, name, states: {} });
  }

  async send(row, signal) {
    const outputs = await this.model.ask(this.name, { ...row, ...this.states }, signal);
    for (const [input, tensor] of Object.entries(this.model.all[this.name].inputs)) {
      if (tensor.next) this.states[input] = outputs[tensor.next];
    }
    return outputs;
  }
}

/** The first state of one row. */
function zeros(tensor) {
  if (Array.isArray(tensor.zero)) return tensor.zero;
  const fill = (shape) => (shape.length ? Array.from({ length: shape[0] ?? 0 }, () => fill(shape.slice(1))) : (tensor.zero ?? 0));
  return fill(tensor.shape.slice(1));
}
