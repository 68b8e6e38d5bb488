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

/** An affinity of a higher power, rows summing to one again; see boxless/refine.py. */
export function sharpened({ shape, values }, exponent) {
  if (exponent === 1) return { shape, values };
  const row = shape[2] * shape[3];
  const raised = values.map((value) => value ** exponent);
  for (let start = 0; start < raised.length; start += row) {
    const cells = raised.subarray(start, start + row);
    const sum = Math.max(cells.reduce((total, value) => total + value, 0), 1e-12);
    cells.forEach((value, i) => (cells[i] = value / sum));
  }
  return { shape, values: raised };
}

/** The weight of each cell, in [0, 1], of its anomaly score { shape: [u, v], values }; see boxless/refine.py. */
export function anomalyWeights({ shape: [rows, columns], values }) {
  const sorted = Float32Array.from(values).sort();
  const half = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  const peak = Math.max(largest(values) - median, 1e-6);
  return { rows, columns, values: Float32Array.from(values, (value) => Math.max(0, value - median) / peak) };
}

/** The k-th of maps { shape: [K, h, w], values }. */
function mapOf({ shape: [, rows, columns], values }, k) {
  return { rows, columns, values: values.subarray(k * rows * columns, (k + 1) * rows * columns) };
}

/** A map without what is negative, walked over an output's affinity. */
function walked(map, affinity, steps, exponent = 1) {
  const positive = { ...map, values: map.values.map((value) => Math.max(0, value)) };
  return affinity ? walk(positive, sharpened(affinity, exponent), steps) : positive;
}

/**
 * What is in a picture, and where.
 *
 * pixels: { data, width, height } RGBA. size: { height, width } of the picture as displayed. card: of the model.
 * run(image, height, width, classes, top) looks once at RGB pixels and resolves to { logits, chosen, class_maps:
 * { shape: [k, h, w], values }, affinity: { shape: [u, v, h, w], values } or null, anomaly: { shape: [u, v], values }
 * or null, localization_maps: { shape: [k, u, v], values } or null }.
 */
export async function locate(pixels, size, card, presetName, { classes, top }, run) {
  const preset = card.presets[presetName];
  const localizationOf = (index) => preset.localization.find((each) => each.classes.includes(index));
  const look = (side, wanted, count) => {
    const [height, width] = lookSize(card, side, size.height, size.width);
    return run(resizePixels(pixels, height, width), height, width, wanted, count);
  };
  const first = await look(preset.scales[0], classes ?? [], classes ? 0 : Math.min(top, card.labels.length));
  const { chosen } = first;
  const passes = new Map([[preset.scales[0], first]]);
  // The first pass is enough to classify where another one localizes, or where there is no place to find.
  const needsOne = (index) => localizationOf(index) || (preset.localization.length && card.background.includes(index));
  if (!chosen.every(needsOne)) for (const side of preset.scales.slice(1)) passes.set(side, await look(side, chosen, 0));
  const outputs = [...passes.values()];
  const maps = new Map();
  for (const each of preset.localization) {
    const wanted = chosen.filter((index) => each.classes.includes(index));
    if (!wanted.length) continue;
    const again = passes.get(each.scale); // the same pass again would say the same
    const output = again ?? (await look(each.scale, wanted, 0));
    wanted.forEach((index, k) => maps.set(index, localized(output, again ? chosen.indexOf(index) : k, each)));
  }
  const chances = probabilities(first.logits, card.activation);
  const predictions = chosen.map((index, k) => {
    const named = meanMap(outputs, k);
    const map = maps.get(index) ?? walked(named, outputs.at(-1).affinity, preset.refinement_steps);
    const activation = largest((needsOne(index) ? meanMap([first], k) : named).values);
    return prediction(index, chances[index], activation, map, size, card, preset);
  });
  return { ...size, model: card.name, preset: presetName, maps: card.maps, typical_activation: card.typical_activation, predictions };
}

/** The mean of a class's maps over looks, on the last one's grid. */
function meanMap(outputs, k) {
  const [, rows, columns] = outputs.at(-1).class_maps.shape;
  const looks = outputs.map((output) => resizeMap(mapOf(output.class_maps, k), rows, columns).values);
  const mean = (_, i) => looks.reduce((sum, values) => sum + values[i], 0) / looks.length;
  return { rows, columns, values: Float32Array.from({ length: rows * columns }, mean) };
}

/** The map of a class by a localization pass; see boxless/multi_scale.py. */
function localized(output, k, how) {
  if (how.source === "head" && output.localization_maps) return mapOf(output.localization_maps, k);
  const map = mapOf(output.class_maps, k);
  const weights = output.anomaly ? resizeMap(anomalyWeights(output.anomaly), map.rows, map.columns).values : null;
  const weighted = weights ? { ...map, values: map.values.map((value, i) => value * weights[i]) } : map;
  return walked(weighted, output.affinity, how.refinement_steps, how.affinity_exponent);
}

function prediction(index, probability, activation, refined, size, card, preset) {
  const present = activation > 0 && activation >= preset.min_activation && probability >= preset.min_probability;
  const threshold = preset.thresholds?.[index] ?? preset.threshold;
  const boxes = present && !card.background.includes(index) ? found(refined, size, threshold, probability) : [];
  return {
    label: card.labels[index],
    class_index: index,
    probability: decimals(probability, 6),
    activation: decimals(activation, 4),
    present,
    box: boxes[0]?.box ?? null,
    boxes,
    class_map: refined,
  };
}

function found(map, { height, width }, threshold, probability) {
  const scale = Math.min(1, BOX_GRID / Math.max(height, width));
  const fine = resizeMap(map, Math.max(1, rounded(height * scale)), Math.max(1, rounded(width * scale)));
  return boxesInMap(fine, threshold, height, width, probability).map(({ box, score }) => ({
    box: box.map((edge) => decimals(edge, 2)),
    score: decimals(score, 4),
  }));
}

function decimals(number, count) {
  return Math.round(number * 10 ** count) / 10 ** count;
}
