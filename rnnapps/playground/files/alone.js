// The models of a page that has no server: they run where the page is, in ONNX Runtime's WebAssembly. A page of one file
// (`rnnapps page`) takes this module where others take `ask.js`.

import * as runtime from "onnxruntime-web";

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array, int64: BigInt64Array, uint8: Uint8Array, bool: Uint8Array };
const given = JSON.parse(document.getElementById("given").textContent);

/** Bytes that stand in the page, compressed, in letters. */
async function unpacked(letters) {
  const packed = Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

let ready = null;
/** The runtime, begun once. */
function begun() {
  ready ??= unpacked(document.getElementById("runtime").textContent).then((bytes) => {
    Object.assign(runtime.env.wasm, { wasmBinary: bytes.buffer, numThreads: 1, proxy: false });
  });
  return ready;
}

/** What a server would tell: the models, or one of them. */
export async function fetchJson(path) {
  const [, name] = path.split("/").map(decodeURIComponent);
  const models = Object.keys(given).map((own) => ({ name: own, version: given[own].version }));
  return name === undefined ? { models, loading: [], refused: [], complete: true } : given[name];
}

/** A model of the page: what it tells, and its steps. */
export class Model {
  alone = true;

  constructor(place, told) {
    Object.assign(this, place, told);
    this.all = told.signatures.signatures;
  }

  /** The tab that the pipeline brings. */
  ownTab() {
    return import(`tabs/${this.signatures.pipeline}/tab.js`);
  }

  /** A stream of one row over the step; the states stay here. */
  stream() {
    const { inputs, outputs, states, first } = this.step;
    let now = first;
    const run = async (row, place) => {
      this.session ??= begun().then(async () => runtime.InferenceSession.create(await unpacked(this.onnx)));
      const session = await this.session, feeds = {};
      for (const name of session.inputNames) feeds[name] = tensor(inputs[name], name in states ? now[name] : chosen(row[name], inputs[name], place, this.step.words[name]));
      return session.run(feeds);
    };
    const answers = Object.keys(outputs).filter((name) => !Object.values(states).includes(name));
    const told = (answer) => Object.fromEntries(answers.map((name) => [name, nested(answer[name].data, outputs[name])]));
    return {
      /** The answer to a chunk, place by place, which goes on from the states and moves them. */
      send: async (row, signal) => {
        const found = [];
        for (let place = 0; place < places(row, inputs, states); place += 1) {
          signal?.throwIfAborted();
          const answer = await run(row, place);
          now = Object.fromEntries(Object.entries(states).map(([name, after]) => [name, answer[after].data]));
          found.push(told(answer));
        }
        return Object.fromEntries(answers.map((name) => [name, outputs[name].shape[1] === 1 && outputs[name].shape.length > 1 ? found.flatMap((one) => one[name]) : found.at(-1)[name]]));
      },
      /** The answer to one place, which leaves the states as they are. */
      ask: async (row) => told(await run(row, 0)),
    };
  }
}

/** How many places a chunk has: the length of an input that has one place in a step. */
function places(row, inputs, states) {
  const long = Object.keys(inputs).filter((name) => !(name in states) && inputs[name].shape.length > 1 && inputs[name].shape[1] === 1);
  return Math.max(1, ...long.map((name) => row[name]?.length ?? 1));
}

/** What a step reads of an input of a chunk: one place of it, or all of it; of a word its number. */
function chosen(value, { shape }, place, words) {
  if (typeof value === "string") return words[0].indexOf(value) + 1;
  return shape.length > 1 && shape[1] === 1 && Array.isArray(value) ? value[place] : value;
}

function tensor({ dtype, shape }, value) {
  const numbers = ArrayBuffer.isView(value) ? value : [value].flat(Infinity);
  return new runtime.Tensor(dtype, ArrayBuffer.isView(numbers) ? numbers : ARRAYS[dtype].from(numbers, dtype === "int64" ? BigInt : Number), shape);
}

/** An output of one row as lists within lists, as JSON has them. */
function nested(data, { dtype, shape }) {
  const cast = { bool: Boolean, int64: Number }[dtype] ?? ((number) => number);
  let numbers = Array.from(data, cast);
  for (const size of shape.slice(2).reverse()) {
    numbers = Array.from({ length: numbers.length / size }, (_, place) => numbers.slice(place * size, (place + 1) * size));
  }
  return shape.length > 1 ? numbers : numbers[0];
}
