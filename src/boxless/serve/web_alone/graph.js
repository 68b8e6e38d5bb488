// Runs a model's graph with onnxruntime-web, in one thread.

import * as ort from "./runtime/ort.wasm.min.mjs";

ort.env.wasm.numThreads = 1; // more need headers that not every host can set
ort.env.wasm.wasmPaths = new URL("./runtime/", import.meta.url).href;

/** Opens a model, an ArrayBuffer; resolves to what looks once at RGB pixels, see localizer.js. */
export async function openGraph(model) {
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  const whole = (values) => new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [values.length]);
  const first = ({ dims, data }) => ({ shape: dims.slice(1), values: data });

  return async function run(image, height, width, classes, top) {
    const outputs = await session.run({
      image: new ort.Tensor("uint8", image, [1, height, width, 3]),
      size: whole([height, width]),
      classes: whole(classes),
      top: whole([top]),
    });
    return {
      logits: outputs.logits.data,
      chosen: Array.from(outputs.chosen.data, Number),
      class_maps: first(outputs.class_maps),
      affinity: outputs.affinity ? first(outputs.affinity) : null,
      anomaly: outputs.anomaly ? first(outputs.anomaly) : null,
      localization_maps: outputs.localization_maps ? first(outputs.localization_maps) : null,
      localization_class_maps: outputs.localization_class_maps ? first(outputs.localization_class_maps) : null,
    };
  };
}
