// What the JavaScript client does with a server of the toy model: `node js_client.mjs SCRIPT URL SCRIPTED_URL`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import vm from "node:vm";

const [script, url, scripted] = process.argv.slice(2);
const rnnapps = createRequire(import.meta.url)(script); // as CommonJS...
const source = readFileSync(script, "utf8");
await import(`data:text/javascript;base64,${Buffer.from(source).toString("base64")}`); // ...as a module...
assert.equal(typeof globalThis.rnnapps.Client, "function");
const page = vm.createContext({});
vm.runInContext(source, page); // ...and as a script
assert.deepEqual(vm.runInContext("Object.keys(rnnapps)", page).join(), Object.keys(rnnapps).join());
const client = new rnnapps.Client(url, "toy");

// Text and bytes.
const text = await client.predict({ text: ["a", new TextEncoder().encode("ä")] });
assert.deepEqual(text.upper, ["A", "Ä"]);
assert.deepEqual([...text.wave_bytes[0]], [97, 255]);

// Numbers, typed arrays, NaN, repeated values and padded rows.
const numbers = { single: [0.1], double: [1 / 3], long: [2 ** 53 - 1], short: [-7], small: new Uint8Array([255]), truth: [true] };
const again = await client.predict(numbers, { signature: "numbers" });
assert.equal(Math.fround(again.single_again[0]), Math.fround(0.1));
assert.deepEqual([again.double_again[0], again.long_again[0], again.small_again[0], again.truth_again[0]], [1 / 3, 2 ** 53 - 1, 255, true]);
await assert.rejects(client.predict({ ...numbers, long: [2n ** 60n + 1n] }, { signature: "numbers" }), /beyond what a number/);
assert.deepEqual((await client.predict({ values: [[1, 2, 3], [], [4.5]] }, { signature: "sums" })).sum, [6, 0, 4.5]);
assert.deepEqual((await client.predict({ values: [new Float32Array([1, 2]), [4, 8]], lengths: 1 }, { signature: "sums" })).sum, [1, 4]);

// Refused rows, and requests that do not fit.
await assert.rejects(client.predict({ text: ["a", new Uint8Array([255])] }), (error) => {
  assert.ok(error instanceof rnnapps.RowsRefused);
  assert.deepEqual(error.outputs.upper, ["A", ""]);
  return /^row 1: text must be UTF-8/.test(error.message);
});
const returned = await client.predict({ values: [[1], [NaN]] }, { signature: "sums", problems: "return" });
assert.deepEqual([returned.problem[0], returned.problem[1] !== "", returned.sum[0]], ["", true, 1]);
await assert.rejects(client.predict({ test: ["a"] }), /has no input test; it has text/);
await assert.rejects(client.predict({}), /input text is missing/);
await assert.rejects(client.predict({}, { signature: "none" }), /has no signature none; it has/);
assert.throws(() => new rnnapps.Client("ftp://a", "m"), /expected/);
assert.throws(() => new rnnapps.Client(url, "m", { verison: 1 }), /option verison is unknown/);

// A stream whose states are kept here.
const stream = await client.stream({ rows: 2 });
assert.deepEqual(Object.keys(await stream.send({ values: [[1, 2], [10]] })).sort(), ["problem", "total"]);
const saved = stream.save();
assert.deepEqual((await stream.send({ values: [[4], [5]] })).total, [[7], [15]]);
await assert.rejects(stream.send({ values: [[1], [NaN]] }), /row 1/);
assert.deepEqual([stream.states.state_sum[0][0], stream.states.state_sum[1][0], stream.steps], [8, 15, 3]);
stream.restore(saved);
assert.deepEqual((await stream.send({ values: [[4], [5]] })).total, [[7], [15]]);
assert.throws(() => stream.restore(saved.replace('"version":1', '"version":2')), /version 2 found/);
assert.throws(() => stream.restore(saved.replace(/\[\[.*\]\]/, "[[0]]")), /2 rows expected/);

// A stream that begins with the answer of another signature, its states here and in the server.
const recall = await client.stream({ signature: "recall", rows: 2 });
await assert.rejects(recall.send({}), /no states yet/);
assert.deepEqual(Object.keys(await recall.begin({ values: [[1, 2, 3], [5]] })), ["problem"]);
assert.deepEqual((await recall.send({ factor: [2, 3] })).sum, [12, 15]);
await assert.rejects(stream.begin({}), /begins with zeros/);
const recalled = await client.connect({ signature: "recall" });
await recalled.begin({ values: [1, 2, 3] });
assert.equal((await recalled.send({ factor: 2 })).sum, 12);
recalled.close();

// A stream whose states the server keeps.
const live = await client.connect({ session: "of-a-page" });
assert.equal(live.session, "of-a-page");
const [one, two] = await Promise.all([live.send({ values: [1, 2] }), live.send({ values: [4] })]);
assert.deepEqual([one.total, two.total], [[1, 3], [7]]);
const snapshot = await live.snapshot();
await live.send({ values: [100] });
await live.restore(snapshot);
assert.deepEqual((await live.send({ values: [1] })).total, [8]);
await live.reset();
await assert.rejects(live.send({ values: [NaN] }), /row 0/);
await assert.rejects(live.send({ values: ["a"] }), /is not of expected type/);
assert.deepEqual((await live.send({ values: [1] })).total, [1]);
live.close();
await assert.rejects(live.send({ values: [1] }), /closed/);
await assert.rejects(client.connect({ signature: "sums" }), /carries no states|closed/);

// A server that is busy, and one that knows no signatures.json.
const other = new rnnapps.Client(scripted, "m", { retries: 3, longestWaitSeconds: 1 });
assert.deepEqual((await other.predict({ x: [0.5] })).y, [0.25]);
await assert.rejects(other.predict({ x: [1] }), (error) => error.status === 429 && /status 429: later/.test(error.message));
await assert.rejects(new rnnapps.Client("http://127.0.0.1:9", "m", { retries: 0 }).predict({}), /cannot be reached/);
console.log(saved);
