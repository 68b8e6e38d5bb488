// What the page without a server takes for a picture: node page.mjs FOLDER PIXELS HEIGHT WIDTH, for page.py.
//
// Processor time of the whole process, after the engine has compiled what is used often.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, file, height, width] = process.argv.slice(2);
const at = (name) => new URL(name, pathToFileURL(folder + "/"));
const ort = await import(at("runtime/ort.wasm.min.mjs"));
const { locate } = await import(at("localizer.js"));
ort.env.wasm.numThreads = 1;

const { card } = JSON.parse(readFileSync(at("model.json")));
const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(at("model.onnx"))), { executionProviders: ["wasm"] });
const pixels = { data: new Uint8Array(readFileSync(file)), height: Number(height), width: Number(width) };

async function run(image, rows, columns, classes, top) {
  const whole = (values) => new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [values.length]);
  const feed = { size: whole([rows, columns]), classes: whole(classes), top: whole([top]) };
  const outputs = await session.run({ ...feed, image: new ort.Tensor("uint8", image, [1, rows, columns, 3]) });
  const first = ({ dims, data }) => ({ shape: dims.slice(1), values: data });
  return {
    logits: outputs.logits.data,
    chosen: Array.from(outputs.chosen.data, Number),
    class_maps: first(outputs.class_maps),
    affinity: first(outputs.affinity),
  };
}

const figures = {};
for (const preset of ["fast", "balanced"]) {
  const times = [];
  for (let turn = 0; turn < 14; turn++) {
    const { user, system } = process.cpuUsage();
    await locate(pixels, pixels, card, preset, { top: 5 }, run);
    const after = process.cpuUsage();
    if (turn >= 9) times.push((after.user - user + after.system - system) / 1000);
  }
  times.sort((one, other) => one - other);
  figures[preset] = times[2];
}
process.stdout.write(JSON.stringify(figures));
