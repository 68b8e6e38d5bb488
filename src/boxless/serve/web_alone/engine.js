// Locates in this browser: the model runs in a worker, and no image leaves the device.

import { distinct } from "./exports.js";

/** Why an image was refused. */
export class Refusal extends Error {
  constructor(title, detail) {
    super(detail);
    this.title = title;
  }
}

/** Downloads the model file; `progress` is called with the progress in words. */
async function download(path, progress) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Refusal("The model is missing", `${path}: ${answer.status} ${answer.statusText}`);
  const size = Number(answer.headers.get("Content-Length")) || 0;
  const parts = [];
  let got = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    got += value.length;
    progress(`Loading the model: ${(got / 1e6).toFixed(1)}${size ? ` of ${(size / 1e6).toFixed(1)}` : ""} MB`);
  }
  return new Blob(parts).arrayBuffer();
}

/** Asks a worker, one question after the other, each with its own answer. */
function asking(worker) {
  const waiting = new Map();
  let number = 0;
  worker.onmessage = ({ data: { id, answer, refusal } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (refusal) reject(new Refusal(refusal.title, refusal.detail));
    else resolve(answer);
  };
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Refusal("The model cannot run here", event.message ?? "no reason given"));
    waiting.clear();
  };
  return (question, transfer = []) =>
    new Promise((resolve, reject) => {
      waiting.set(++number, { resolve, reject });
      worker.postMessage({ id: number, ...question }, transfer);
    });
}

/** Opens the engine; `progress` is called with a description of each step. */
export async function open(progress) {
  const answer = await fetch("model.json");
  if (!answer.ok) throw new Refusal("The model is missing", `model.json: ${answer.status} ${answer.statusText}`);
  const { described, card, examples } = await answer.json();
  const model = await download("model.onnx", progress);
  progress("Starting the model …");
  const ask = asking(new Worker("worker.js", { type: "module" }));
  await ask({ open: { model, card } }, [model]);
  return {
    models: [described],
    parallel: 1, // there is one worker
    privacy: "Images never leave this device. They, the results and your corrections stay in this browser until you remove them.",
    links: [],
    examples,
    folder: null, // there is no service

    async labels() {
      return distinct(card.labels);
    },

    /** Nothing is sent, so that nothing has to be made smaller. */
    enough: () => 0,
    shrink: async (file) => ({ file }),

    /** What is in an image. `classes` are indices; without them the `top` most probable. */
    async locate({ file }, { preset, top, classes }) {
      const start = performance.now();
      const found = await ask({ locate: { image: file, preset, top, classes } });
      return { ...found, seconds: (performance.now() - start) / 1000 };
    },

    /** Images that browsers do not show cannot be read here. */
    async shown(image) {
      throw new Refusal("This image could not be read", `${image.name}: of a kind that this browser does not show`);
    },
  };
}
