// What the page's modules and a model find in images: node whole.mjs FOLDER < [{ pixels, height, width, preset }, ...]
//
// FOLDER is a page without a server; pixels are files of RGBA bytes.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const at = (name) => new URL(name, pathToFileURL(process.argv[2] + "/"));
const { openGraph } = await import(at("graph.js"));
const { locate } = await import(at("localizer.js"));

const { card } = JSON.parse(readFileSync(at("model.json")));
const run = await openGraph(new Uint8Array(readFileSync(at("model.onnx"))));
const answers = [];
for (const { pixels, height, width, preset } of JSON.parse(readFileSync(0, "utf-8"))) {
  const image = { data: new Uint8Array(readFileSync(pixels)), height, width };
  const { predictions } = await locate(image, image, card, preset, { top: 3 }, run);
  answers.push(predictions.map(({ class_map: _, ...told }) => told));
}
process.stdout.write(JSON.stringify(answers));
