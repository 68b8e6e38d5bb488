// A picture in, what and where out: the same as boxless/localizer.py, over any way to run the model's graph.

import { boxesInMap } from "./boxes.js";
import { largest, resizeMap } from "./maps.js";
import { resizePixels } from "./resize.js";
import { rounded } from "./rounding.js";

const BOX_GRID = 256; // cells of the longer side of the map that boxes are read off
const WIDEST = 3; // a longer picture is looked at as if it were this long

/** The [height, width] at which the network sees a picture. */
export function lookSize(card, side, height, width) {
  if (card.fixed_size) return card.fixed_size;
  const aspect = Math.min(Math.max(height / width, 1 / WIDEST), WIDEST);
  const fitted = (length) => Math.max(1, rounded(length / card.size_multiple)) * card.size_multiple;
  return [fitted(side * Math.sqrt(aspect)), fitted(side / Math.sqrt(aspect))];
}

/** Probabilities of logits. */
export function probabilities(logits, activation) {
  if (activation === "sigmoid") return Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)));
  const peak = largest(logits);
  const shares = Array.from(logits, (logit) => Math.exp(logit - peak));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

/** A map on the fine grid, each cell the average of the coarse cells that look like it; see boxless/refine.py. */
export function walk(map, affinity, steps) {
  const [u, v, h, w] = affinity.shape;
  const spread = (values) => {
    const fine = new Float32Array(u * v);
    for (let i = 0; i < fine.length; i++) {
      let sum = 0;
      for (let j = 0; j < h * w; j++) sum += affinity.values[i * h * w + j] * values[j];
      fine[i] = sum;
    }
    return { rows: u, columns: v, values: fine };
  };
  let fine = spread(map.values);
  for (let step = 1; step < steps; step++) fine = spread(resizeMap(fine, h, w).values);
  return fine;
}

/** The k-th class map of an output, on a grid. */
function classMap({ class_maps: { shape, values } }, k, rows, columns) {
  const [, h, w] = shape;
  return resizeMap({ rows: h, columns: w, values: values.subarray(k * h * w, (k + 1) * h * w) }, rows, columns);
}

/**
 * What is in a picture, and where.
 *
 * pixels: { data, width, height } RGBA. size: { height, width } of the picture as displayed. card: of the model.
 * run(image, height, width, classes, top) looks once at RGB pixels and resolves to { logits, chosen, class_maps:
 * { shape: [k, h, w], values }, affinity: { shape: [u, v, h, w], values } or null }.
 */
export async function locate(pixels, size, card, presetName, { classes, top }, run) {
  const preset = card.presets[presetName];
  const outputs = [];
  let [chosen, count] = [classes ?? [], classes ? 0 : Math.min(top, card.labels.length)];
  for (const side of preset.sides) {
    const [height, width] = lookSize(card, side, size.height, size.width);
    outputs.push(await run(resizePixels(pixels, height, width), height, width, chosen, count));
    [chosen, count] = [outputs[0].chosen, 0];
  }
  const chances = probabilities(outputs[0].logits, card.activation);
  const findings = chosen.map((index, k) => finding(outputs, k, index, chances[index], size, card, preset));
  return { ...size, model: card.name, preset: presetName, maps: card.maps, typical_evidence: card.typical_evidence, findings };
}

function finding(outputs, k, index, probability, size, card, preset) {
  const last = outputs.at(-1);
  const [, h, w] = last.class_maps.shape;
  const looks = outputs.map((output) => classMap(output, k, h, w));
  const mean = Float32Array.from({ length: h * w }, (_, i) => looks.reduce((sum, { values }) => sum + values[i], 0) / looks.length);
  const evidence = largest(mean);
  const positive = { rows: h, columns: w, values: mean.map((value) => Math.max(0, value)) };
  const refined = last.affinity ? walk(positive, last.affinity, preset.walk_steps) : positive;
  const present = evidence > 0 && evidence >= preset.least_evidence && probability >= preset.least_probability;
  const boxes = present && !card.background.includes(index) ? found(refined, size, preset, probability) : [];
  return {
    label: card.labels[index],
    class_index: index,
    probability: decimals(probability, 6),
    evidence: decimals(evidence, 4),
    present,
    box: boxes[0]?.box ?? null,
    boxes,
    class_map: refined,
  };
}

function found(map, { height, width }, preset, probability) {
  const scale = Math.min(1, BOX_GRID / Math.max(height, width));
  const fine = resizeMap(map, Math.max(1, rounded(height * scale)), Math.max(1, rounded(width * scale)));
  return boxesInMap(fine, preset.threshold, height, width, probability).map(({ box, score }) => ({
    box: box.map((edge) => decimals(edge, 2)),
    score: decimals(score, 4),
  }));
}

function decimals(number, count) {
  return Math.round(number * 10 ** count) / 10 ** count;
}
