/* A client of models that TensorFlow Serving or `rnnapps serve` serves, in one file and without dependencies.
 *
 *   <script src="rnnapps.js"></script>        defines `rnnapps`
 *   import "./rnnapps.js";                    in a module: defines `rnnapps` as well
 *   const rnnapps = require("./rnnapps.js");  in CommonJS
 *
 *   const client = new rnnapps.Client("http://127.0.0.1:8501", "stories");
 *   const { text } = await client.predict({ prompt: ["The "], steps: 80 });
 *
 * Arrays are nested lists or typed arrays, the batch first; bytes are Uint8Array.
 */
(function (root, make) {
  "use strict";
  const made = make();
  if (typeof module === "object" && module && module.exports) module.exports = made;
  else root.rnnapps = made;
})(typeof globalThis === "object" ? globalThis : this, function () {
  "use strict";

  const FORMAT = 1;
  const FIRST_PAUSE = 0.1;
  const BUSY = [429, 503];

  /** A server cannot be reached, or does not answer a request. */
  class ServingError extends Error {
    constructor(message, { status = 0, again = false, retrySeconds = null } = {}) {
      super(message);
      this.name = "ServingError";
      Object.assign(this, { status, again, retrySeconds });
    }
  }

  /** The model has refused rows of a request; `problems` says of each row why, `outputs` holds the others' answers. */
  class RowsRefused extends ServingError {
    constructor(problems, outputs) {
      const row = problems.findIndex(Boolean);
      super(`row ${row}: ${problems[row]}`);
      this.name = "RowsRefused";
      Object.assign(this, { problems, outputs });
    }
  }

  /** Asks one model. Options: version, label, token, timeoutSeconds, retries, longestWaitSeconds. */
  class Client {
    constructor(url, model, options = {}) {
      const known = ["version", "label", "token", "timeoutSeconds", "retries", "longestWaitSeconds"];
      const unknown = Object.keys(options).find((name) => !known.includes(name));
      if (unknown) throw new TypeError(`option ${unknown} is unknown; there are ${known.join(", ")}`);
      if (options.version != null && options.label) throw new TypeError("a version and a label found, one expected");
      this.url = String(url).replace(/\/+$/, "");
      if (!/^https?:\/\/[^/?#]+(\/[^?#]*)?$/.test(this.url)) throw new TypeError(`${url}: http://HOST:PORT expected`);
      this.model = model;
      this.options = { timeoutSeconds: 60, retries: 4, longestWaitSeconds: 10, ...options };
      this._signatures = null;
    }

    /** What each signature takes and gives: signatures.json, or of TensorFlow Serving types and shapes only. */
    async signatures() {
      if (this._signatures === null) {
        this._signatures = this._readSignatures();
        this._signatures.catch(() => (this._signatures = null));
      }
      return this._signatures;
    }

    /** One of them. */
    async signature(name) {
      const found = await this.signatures();
      if (Object.hasOwn(found, name)) return found[name];
      throw new TypeError(`${this.model} has no signature ${name}; it has ${Object.keys(found).sort().join(", ")}`);
    }

    /**
     * Asks the model.
     * @param inputs name -> rows; a single value counts for every row, rows of different lengths are padded, what has
     *   a default may be left out.
     * @param signature the signature that is asked.
     * @param problems "raise" RowsRefused where a row is refused, or "return" the reasons as the output `problem`.
     * @returns name -> rows; outputs whose name ends in _bytes as Uint8Array.
     */
    async predict(inputs, { signature = "serving_default", problems = "raise" } = {}) {
      const served = await this.signature(signature);
      const columns = complete(signature, served, inputs);
      const body = written({ signature_name: signature, inputs: columns });
      const answer = await this._json(":predict", body);
      return checked(read(served, answer.outputs), problems);
    }

    /** A stream whose states this side keeps; it asks the version that is served now, also when there is a newer one. */
    async stream({ signature = "step", rows = 1 } = {}) {
      const version = this.options.version ?? Number((await this._json("/metadata")).model_spec.version);
      const client = new Client(this.url, this.model, { ...this.options, label: undefined, version });
      const served = await client.signature(signature);
      if (!states(served).length) throw new TypeError(`signature ${signature} keeps no states`);
      return new Stream(client, { signature, served, rows });
    }

    /** A stream over a WebSocket, whose states the server keeps (`rnnapps serve` only); `session` is a name to return to. */
    async connect({ signature = "step", session = "" } = {}) {
      const asked = new URLSearchParams({ signature_name: signature, ...(session && { session }) });
      const url = `${this.url.replace(/^http/, "ws")}${this._path()}:stream?${asked}`;
      const served = await this.signature(signature);
      const begun = served.begins ? await this.signature(served.begins) : null;
      const live = new LiveStream(new WebSocket(url), { served, begun, url });
      await live.opened;
      return live;
    }

    _path() {
      const { version, label } = this.options;
      const which = version != null ? `/versions/${version}` : label ? `/labels/${encodeURIComponent(label)}` : "";
      return `/v1/models/${encodeURIComponent(this.model)}${which}`;
    }

    async _readSignatures() {
      const told = await this._try(() => this._ask("/signatures"));
      if (told.status === 200) {
        const found = JSON.parse(told.text);
        if (found.format === FORMAT) return found.signatures;
        throw new ServingError(`${this.url}: signatures of format ${found.format} found, ${FORMAT} expected`);
      }
      if (![400, 404].includes(told.status)) this._requireOk(told);
      return ofMetadata((await this._json("/metadata")).metadata.signature_def.signature_def);
    }

    async _json(path, body) {
      const answer = await this._try(async () => this._requireOk(await this._ask(path, body)));
      try {
        return JSON.parse(answer.text);
      } catch (error) {
        throw new ServingError(`${this.url}: the answer is no JSON (${error.message})`);
      }
    }

    /** An attempt, made again where the server is busy or cannot be reached. */
    async _try(attempt) {
      for (let number = 0; ; number++) {
        try {
          return await attempt();
        } catch (error) {
          const longest = this.options.longestWaitSeconds;
          const grown = Math.min(FIRST_PAUSE * 2 ** number, longest) * (0.5 + Math.random() / 2);
          const pause = error.retrySeconds ?? grown;
          if (!error.again || number >= this.options.retries || pause > longest) throw error;
          await new Promise((resolve) => setTimeout(resolve, 1000 * pause));
        }
      }
    }

    async _ask(path, body) {
      const headers = body === undefined ? {} : { "Content-Type": "application/json" };
      if (this.options.token) headers.Authorization = `Bearer ${this.options.token}`;
      const seconds = this.options.timeoutSeconds;
      const how = { method: body === undefined ? "GET" : "POST", body, headers, redirect: "error" };
      try {
        const answer = await fetch(this.url + this._path() + path, { ...how, signal: AbortSignal.timeout(1000 * seconds) });
        const retrySeconds = waiting(answer.headers.get("Retry-After"));
        return { status: answer.status, text: await answer.text(), retrySeconds };
      } catch (error) {
        if (error.name === "TimeoutError") throw new ServingError(`${this.url}: no answer within ${seconds} s`);
        const told = error.cause?.message || error.message;
        throw new ServingError(`${this.url}: cannot be reached (${told}); is the server running?`, { again: true });
      }
    }

    _requireOk(answer) {
      if (answer.status === 200) return answer;
      let told = answer.text;
      try {
        told = JSON.parse(answer.text).error ?? told;
      } catch {
        // a proxy's page, as it is
      }
      const known = { status: answer.status, again: BUSY.includes(answer.status), retrySeconds: answer.retrySeconds };
      throw new ServingError(`${this.url}: status ${answer.status}: ${String(told).slice(0, 300)}`, known);
    }
  }

  /** What a model remembers of some rows; `save` and `restore` use the text that the Python client uses as well. */
  class Stream {
    constructor(client, { signature, served, rows }) {
      Object.assign(this, { client, signature, served, rows });
      this.reset();
    }

    /** Forgets everything. */
    reset() {
      this.steps = 0;
      this.states = this.served.begins ? null : {};
      if (this.states) for (const name of states(this.served)) this.states[name] = first(this.served.inputs[name], this.rows);
    }

    /** Takes the first states from the signature that a stream of this one begins with; returns its other outputs. */
    async begin(inputs) {
      if (!this.served.begins) throw new TypeError(`signature ${this.signature} begins with zeros; send the first chunk`);
      const outputs = await this.client.predict(inputs, { signature: this.served.begins });
      this.states = {};
      this.steps = 0;
      for (const name of states(this.served)) this.states[name] = taken(outputs, `next_${name}`);
      return outputs;
    }

    /** Sends a chunk of every row; a row that is refused keeps its states. */
    async send(inputs, { problems = "raise" } = {}) {
      if (!this.states) throw new TypeError(`the stream has no states yet; begin() takes inputs of ${this.served.begins}`);
      const asked = { signature: this.signature, problems: "return" };
      const outputs = await this.client.predict({ ...inputs, ...this.states }, asked);
      const refused = (outputs.problem ?? []).map(Boolean);
      for (const name of states(this.served)) {
        const old = this.states[name];
        this.states[name] = taken(outputs, `next_${name}`).map((row, number) => (refused[number] ? old[number] : row));
      }
      if (!refused.length || refused.includes(false)) this.steps++;
      return checked(outputs, problems);
    }

    /** The states as text. */
    save() {
      const kept = Object.fromEntries(Object.entries(this.states ?? {}).map(([name, rows]) => [name, encoded(rows)]));
      return written({ format: FORMAT, ...this._place(), steps: this.steps, states: kept });
    }

    /** Goes on from what `save` gave. */
    restore(text) {
      const kept = JSON.parse(text);
      const place = this._place();
      const wrong = ["model", "version", "signature"].find((key) => kept[key] !== place[key]);
      if (kept.format !== FORMAT || wrong) {
        throw new TypeError(`state of ${kept.model}, version ${kept.version} found, of ${place.model}, version ${place.version} expected`);
      }
      const found = {};
      for (const name of states(this.served)) {
        if (kept.states[name]?.length !== this.rows) throw new TypeError(`state ${name}: ${this.rows} rows expected`);
        found[name] = decoded(name, kept.states[name], this.served.inputs[name]);
      }
      this.states = found;
      this.steps = kept.steps;
    }

    _place() {
      return { model: this.client.model, version: this.client.options.version, signature: this.signature };
    }
  }

  /** One row over a WebSocket, message by message; messages may be sent before the answers to earlier ones are there. */
  class LiveStream {
    constructor(socket, { served, begun, url }) {
      Object.assign(this, { socket, served, begun, url, session: "", _waiting: [] });
      this.opened = new Promise((resolve, reject) => this._waiting.push({ resolve, reject }));
      socket.addEventListener("message", (event) => this._said(JSON.parse(event.data)));
      socket.addEventListener("close", () => this._gone());
      socket.addEventListener("error", () => this._gone());
    }

    /** Sends one row of inputs, without the batch dimension. */
    async send(inputs, { problems = "raise" } = {}) {
      const answer = await this._asked({ inputs: row(this.served, inputs) });
      return this._outputs(this.served, answer.outputs, problems);
    }

    /** Takes the first states from the signature that the stream begins with; returns its other outputs. */
    async begin(inputs) {
      if (!this.begun) throw new TypeError("this stream begins with zeros; send the first chunk");
      return this._outputs(this.begun, (await this._asked({ begin: row(this.begun, inputs) })).outputs, "raise");
    }

    /** The server's state of this session, as text for `restore`. */
    async snapshot() {
      return (await this._asked({ snapshot: true })).snapshot;
    }

    async restore(text) {
      await this._asked({ restore: text });
    }

    async reset() {
      await this._asked({ reset: true });
    }

    close() {
      this.socket.close();
    }

    _outputs(served, told, problems) {
      const outputs = {};
      for (const [name, value] of Object.entries(told)) outputs[name] = decoded(name, value, served.outputs[name]);
      if (problems === "raise" && outputs.problem) throw new RowsRefused([outputs.problem], outputs);
      return outputs;
    }

    _asked(message) {
      if (this.socket.readyState !== 1) return Promise.reject(new ServingError(`${this.url}: the stream is closed`));
      return new Promise((resolve, reject) => {
        this._waiting.push({ resolve, reject });
        this.socket.send(written(message));
      });
    }

    _said(answer) {
      const waiter = this._waiting.shift();
      if (answer.session) this.session = answer.session;
      if (answer.error) waiter?.reject(new ServingError(`${this.url}: ${answer.error}`));
      else waiter?.resolve(answer);
    }

    _gone() {
      for (const { reject } of this._waiting.splice(0)) reject(new ServingError(`${this.url}: the stream is closed`));
    }
  }

  const states = (served) => Object.keys(served.inputs).filter((name) => served.inputs[name].next);

  /** Input of variable length -> the input that says how many of its items count. */
  function counted(served) {
    const found = [];
    for (const [name, tensor] of Object.entries(served.inputs)) {
      const counts = [`${name}_lengths`, "lengths"].find((key) => Object.hasOwn(served.inputs, key));
      if (counts && !tensor.next && tensor.shape.length > 1 && tensor.shape[1] === null) found.push([name, counts]);
    }
    return found;
  }

  /** The columns of a request: single values repeated, rows padded and counted, defaults and first states filled in. */
  function complete(signature, served, given) {
    const values = {};
    for (const [name, value] of Object.entries(given)) {
      if (!Object.hasOwn(served.inputs, name)) {
        throw new TypeError(`signature ${signature} has no input ${name}; it has ${Object.keys(served.inputs).sort().join(", ")}`);
      }
      values[name] = plain(value, served.inputs[name]);
    }
    const batch = Object.values(values).find(Array.isArray);
    const rows = batch ? batch.length : 1;
    for (const [name, counts] of counted(served)) {
      if (!Array.isArray(values[name]) || !values[name].every(Array.isArray)) continue;
      const sizes = values[name].map((row) => row.length);
      if (values[counts] === undefined) values[counts] = sizes;
      values[name] = values[name].map((row) => padded(row, Math.max(...sizes), served.inputs[name]));
    }
    const columns = {};
    for (const [name, tensor] of Object.entries(served.inputs)) {
      columns[name] = encoded(column(signature, served, { name, tensor, value: values[name], rows }));
    }
    return columns;
  }

  function column(signature, served, { name, tensor, value, rows }) {
    if (value === undefined && tensor.next && !served.begins) return first(tensor, rows);
    const single = value === undefined ? tensor.default : value;
    if (single === undefined || single === null) {
      throw new TypeError(`signature ${signature}: input ${name} is missing, which has no default`);
    }
    const repeated = value === undefined || !Array.isArray(single);
    const filled = repeated ? Array.from({ length: rows }, () => spread(single, tensor.shape.slice(1))) : single;
    if (filled.length !== rows) throw new TypeError(`input ${name}: ${filled.length} rows found, ${rows} expected`);
    return filled;
  }

  /** One row of inputs, without the batch dimension. */
  function row(served, inputs) {
    const found = {};
    for (const [name, value] of Object.entries(inputs)) {
      const tensor = served.inputs[name];
      if (!tensor) throw new TypeError(`input ${name} is unknown; there are ${Object.keys(served.inputs).join(", ")}`);
      found[name] = encoded(plain(value, tensor));
    }
    return found;
  }

  /** A value in every place of a shape; a list is taken as it is. */
  function spread(value, shape) {
    if (Array.isArray(value) || !shape.length) return value;
    return Array.from({ length: shape[0] ?? 0 }, () => spread(value, shape.slice(1)));
  }

  /** A state in so many rows of a first request. */
  function first(tensor, rows) {
    const zero = tensor.zero ?? (tensor.dtype === "string" ? "" : tensor.dtype === "bool" ? false : 0);
    return Array.from({ length: rows }, () => spread(zero, tensor.shape.slice(1)));
  }

  function padded(row, size, tensor) {
    const nothing = spread(tensor.dtype === "string" ? "" : tensor.dtype === "bool" ? false : 0, tensor.shape.slice(2));
    return row.concat(Array.from({ length: size - row.length }, () => nothing));
  }

  /** Typed arrays as lists; for inputs of strings a Uint8Array or ArrayBuffer is one string of bytes. */
  function plain(value, tensor) {
    if (Array.isArray(value)) return value.map((item) => plain(item, tensor));
    if (value instanceof ArrayBuffer) return plain(new Uint8Array(value), tensor);
    if (ArrayBuffer.isView(value)) return tensor.dtype === "string" ? value : Array.from(value);
    return value;
  }

  /** Bytes as base64, in nested lists. */
  function encoded(value) {
    if (Array.isArray(value)) return value.map(encoded);
    if (!(value instanceof Uint8Array)) return value;
    let text = "";
    for (let start = 0; start < value.length; start += 32768) {
      text += String.fromCharCode(...value.subarray(start, start + 32768));
    }
    return { b64: btoa(text) };
  }

  /** Base64 as bytes, in nested lists; numbers that JavaScript cannot hold are an error. */
  function decoded(name, value, tensor) {
    if (Array.isArray(value)) return value.map((item) => decoded(name, item, tensor));
    if (value !== null && typeof value === "object" && typeof value.b64 === "string") {
      return Uint8Array.from(atob(value.b64), (letter) => letter.charCodeAt(0));
    }
    if (tensor?.dtype.includes("int64") && !Number.isSafeInteger(value)) {
      throw new ServingError(`output ${name}: ${value} is beyond what a number of JavaScript holds`);
    }
    return name.endsWith("_bytes") && typeof value === "string" ? new TextEncoder().encode(value) : value;
  }

  /** The outputs of an answer; of a signature with one, its values stand without the name. */
  function read(served, outputs) {
    const names = Object.keys(served.outputs);
    const named = names.length === 1 ? { [names[0]]: outputs } : outputs ?? {};
    const missing = names.find((name) => !Object.hasOwn(named, name) || named[name] === undefined);
    if (missing) throw new ServingError(`the answer has no output ${missing}`);
    return Object.fromEntries(names.map((name) => [name, decoded(name, named[name], served.outputs[name])]));
  }

  function checked(outputs, problems) {
    if (!["raise", "return"].includes(problems)) throw new TypeError(`problems: "raise" or "return" expected`);
    if (problems === "raise" && outputs.problem?.some(Boolean)) throw new RowsRefused(outputs.problem, outputs);
    return outputs;
  }

  function taken(outputs, name) {
    const value = outputs[name];
    delete outputs[name];
    return value;
  }

  /** JSON, in which NaN and infinity stand as TensorFlow Serving reads them, and BigInt as digits. */
  function written(value) {
    if (typeof value === "number" || typeof value === "bigint") return String(value);
    if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
    if (value === null || typeof value !== "object") return JSON.stringify(value ?? null);
    return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${written(item)}`).join(",")}}`;
  }

  /** How many seconds Retry-After asks to wait, given as seconds or as a time. */
  function waiting(header) {
    if (header === null) return null;
    if (/^\s*\d+\s*$/.test(header)) return Number(header);
    const moment = Date.parse(header);
    return Number.isNaN(moment) ? null : Math.max(0, (moment - Date.now()) / 1000);
  }

  /** Signatures of TensorFlow Serving's metadata. */
  function ofMetadata(definitions) {
    const types = { DT_FLOAT: "float32", DT_DOUBLE: "float64" };
    const tensors = (entries, after) =>
      Object.fromEntries(
        Object.entries(entries ?? {}).map(([name, { dtype, tensor_shape }]) => {
          const shape = (tensor_shape.dim ?? []).map(({ size }) => (Number(size) < 0 ? null : Number(size)));
          const kind = types[dtype] ?? dtype.replace("DT_", "").toLowerCase();
          const next = name.startsWith("state_") && Object.hasOwn(after, `next_${name}`) ? `next_${name}` : "";
          return [name, { dtype: kind, shape, next }];
        }),
      );
    const own = Object.entries(definitions).filter(([name]) => !name.startsWith("__"));
    return Object.fromEntries(
      own.map(([name, { inputs, outputs }]) => [name, { inputs: tensors(inputs, outputs ?? {}), outputs: tensors(outputs, {}), begins: "" }]),
    );
  }

  return { Client, LiveStream, RowsRefused, ServingError, Stream };
});
