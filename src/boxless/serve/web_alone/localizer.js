// An image in, what and where out: the same as boxless/localizer.py, over any way to run the model's graph.

import { boxesInMap, suppressOverlaps } from "./boxes.js";
import { largest, resizeMap } from "./maps.js";
import { withMargin, withoutMargin } from "./margin.js";
import { resizePixels } from "./resize.js";
import { rounded } from "./rounding.js";

const BOX_GRID = 256; // cells of the longer side of the map that boxes are read off
const LIKELY = 150; // maps of so many classes cost nearly nothing; see boxless/multi_scale.py
const NMS = 0.5; // boxes of different classes that overlap by more are one object; see boxless/locate_options.py
const WIDEST = 3; // a longer image is squeezed to this aspect ratio

/** The [height, width] of the network's input for an image. */
export function inputSize(card, side, height, width) {
  if (card.fixed_size) return card.fixed_size;
  const aspect = Math.min(Math.max(height / width, 1 / WIDEST), WIDEST);
  const fitted = (length) => Math.max(1, rounded(length / card.size_multiple)) * card.size_multiple;
  return [fitted(side * Math.sqrt(aspect)), fitted(side / Math.sqrt(aspect))];
}

/** Probabilities of logits. */
export function probabilities(logits, activation) {
  if (activation === "none") return Array.from(logits, (logit) => Math.min(Math.max(logit, 0), 1));
  if (activation === "sigmoid") return Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)));
  const peak = largest(logits);
  const shares = Array.from(logits, (logit) => Math.exp(logit - peak));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

/** A map on the fine grid, each cell the average of the coarse cells that look like it; see boxless/maps/refine.py. */
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

/** An affinity of a higher power, rows summing to one again; see boxless/maps/refine.py. */
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

/** The weight of each cell, in [0, 1], of its anomaly score { shape: [u, v], values }; see boxless/maps/refine.py. */
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

/** The positive part of a map, refined by random walk over an output's affinity. */
function refinedMap(map, affinity, steps, exponent = 1) {
  const positive = { ...map, values: map.values.map((value) => Math.max(0, value)) };
  return affinity ? walk(positive, sharpened(affinity, exponent), steps) : positive;
}

/**
 * What is in an image, and where.
 *
 * pixels: { data, width, height } RGBA. size: { height, width } of the image as displayed. card: of the model.
 * wanted: { classes, top, nms }; see boxless/locate_options.py. run(image, height, width, classes, top) runs the network once
 * on RGB pixels and resolves to { logits, chosen, class_maps: { shape: [k, h, w], values }, affinity: { shape:
 * [u, v, h, w], values } or null, anomaly: { shape: [u, v], values } or null, localization_maps: { shape: [k, u, v],
 * values } or null, localization_class_maps: { shape: [k, h, w], values } or null }.
 */
export async function locate(pixels, size, card, presetName, { classes, top, nms = NMS }, run) {
  const preset = card.presets[presetName];
  const localizationOf = (index) => preset.localization.find((each) => each.classes.includes(index));
  const pass = async (side, wanted, count, margin = 0) => {
    const [height, width] = inputSize(card, side, size.height, size.width);
    const whole = [height + 2 * margin, width + 2 * margin];
    const output = await run(withMargin(resizePixels(pixels, height, width), height, width, margin), ...whole, wanted, count);
    if (!margin) return output;
    const own = output.localization_maps && withoutMargin(output.localization_maps, margin, whole);
    return { ...output, class_maps: withoutMargin(output.class_maps, margin, whole), localization_maps: own, affinity: null };
  };
  const single = card.activation === "softmax";
  const every = card.labels.length;
  let first = await pass(preset.scales[0], classes ?? [], classes ? 0 : Math.min(Math.max(top ?? 1, LIKELY), every));
  const ofAll = probabilities(first.logits, card.activation);
  // Those that may be detected, and the `top` most probable ones.
  const likely = Math.max(top ?? 1, ofAll.filter((probability) => probability >= preset.min_probability).length);
  if (!classes && likely > first.chosen.length && first.chosen.length < every) first = await pass(preset.scales[0], [], every);
  const all = classes ? [...first.chosen] : [...first.chosen].slice(0, likely);
  const passes = new Map([[preset.scales[0], first]]);
  // The first pass is enough to classify where another one localizes, or where there is no place to find.
  const needsOne = (index) => localizationOf(index) || (preset.localization.length && card.background.includes(index));
  if (!all.every(needsOne)) for (const side of preset.scales.slice(1)) passes.set(side, await pass(side, all, 0));
  const outputs = [...passes.values()];
  const seen = all.map((index, k) => {
    const map = meanMap(outputs, k);
    const activation = largest((needsOne(index) ? meanMap([first], k) : map).values);
    const probability = ofAll[index];
    const detected = activation > 0 && activation >= preset.min_activation && probability >= preset.min_probability;
    return { index, probability, activation, detected, map };
  });
  const chosen = classes ? seen : ranked(seen, top ?? (single ? 1 : Math.max(1, seen.filter(({ detected }) => detected).length)));
  const maps = new Map();
  const groups = new Map();
  for (const each of preset.localization) {
    const wanted = chosen.map(({ index }) => index).filter((index) => each.classes.includes(index));
    const key = `${each.scale} ${each.margin ?? 0}`;
    if (wanted.length) groups.set(key, { ...each, wanted: [...(groups.get(key)?.wanted ?? []), ...wanted] });
  }
  for (const { scale, margin, wanted } of groups.values()) {
    const known = margin ? null : passes.get(scale); // the same pass again would give the same
    const output = known ?? (await pass(scale, wanted, 0, margin));
    const found = [...output.chosen];
    for (const index of wanted) maps.set(index, localized(output, found.indexOf(index), localizationOf(index)));
  }
  const predictions = chosen.map((each) => {
    const map = maps.get(each.index) ?? refinedMap(each.map, outputs.at(-1).affinity, preset.refinement_steps);
    return prediction(each, map, size, card, preset);
  });
  if (single && !classes) {
    suppressOverlaps(predictions.map(({ boxes }) => boxes), nms).forEach((boxes, i) => (predictions[i].boxes = boxes));
  }
  const described = predictions.map((each) => plain(each));
  return { ...size, model: card.name, preset: presetName, maps: card.maps, typical_activation: card.typical_activation, predictions: described };
}

/** The first ones: detected classes before others, each group by falling probability. */
function ranked(seen, count) {
  return [...seen].sort((one, other) => other.detected - one.detected || other.probability - one.probability).slice(0, count);
}

/** The mean of a class's maps over scales, on the largest one's grid. */
function meanMap(outputs, k) {
  const [, rows, columns] = outputs.at(-1).class_maps.shape;
  const scales = outputs.map((output) => resizeMap(mapOf(output.class_maps, k), rows, columns).values);
  const mean = (_, i) => scales.reduce((sum, values) => sum + values[i], 0) / scales.length;
  return { rows, columns, values: Float32Array.from({ length: rows * columns }, mean) };
}

/** The map of a class by a localization pass; see boxless/multi_scale.py. */
function localized(output, k, how) {
  if (how.source === "head" && output.localization_maps) return mapOf(output.localization_maps, k);
  const older = output.localization_maps; // as older files call them; cells of a localization head have a finer grid
  const alike = older && older.shape.join() === output.class_maps.shape.join();
  const map = mapOf(output.localization_class_maps ?? (alike ? older : output.class_maps), k);
  const weights = how.source === "anomaly" && output.anomaly ? resizeMap(anomalyWeights(output.anomaly), map.rows, map.columns).values : null;
  const weighted = weights ? { ...map, values: map.values.map((value, i) => value * weights[i]) } : map;
  return refinedMap(weighted, output.affinity, how.refinement_steps, how.affinity_exponent);
}

function prediction({ index, probability, activation, detected }, refined, size, card, preset) {
  const threshold = preset.thresholds?.[index] ?? preset.threshold;
  const boxed = detected && !card.background.includes(index);
  return {
    label: card.labels[index],
    class_index: index,
    probability,
    activation,
    detected,
    boxes: boxed ? boxesOf(refined, size, threshold, probability) : [],
    class_map: refined,
  };
}

function boxesOf(map, { height, width }, threshold, probability) {
  const scale = Math.min(1, BOX_GRID / Math.max(height, width));
  const fine = resizeMap(map, Math.max(1, rounded(height * scale)), Math.max(1, rounded(width * scale)));
  return boxesInMap(fine, threshold, height, width, probability);
}

/** A prediction as JSON has it, and its map; see boxless/prediction.py. */
function plain({ label, class_index, probability, activation, detected, boxes, class_map }) {
  const described = boxes.map(({ box, score }) => ({ box: box.map((edge) => decimals(edge, 2)), score: decimals(score, 4) }));
  return {
    label,
    class_index,
    probability: decimals(probability, 6),
    activation: decimals(activation, 4),
    detected,
    box: described[0]?.box ?? null,
    boxes: described,
    class_map,
  };
}

function decimals(number, count) {
  return Math.round(number * 10 ** count) / 10 ** count;
}
