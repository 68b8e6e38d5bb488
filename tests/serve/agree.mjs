// Runs the page's modules on cases that come as JSON, for test_alone.py. node agree.mjs FOLDER < cases > answers

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const folder = pathToFileURL(process.argv[2] + "/");
const load = (name) => import(new URL(name, folder));
const [maps, boxes, localizer, resize, drawing, search, colour, profile] = await Promise.all(
  ["maps.js", "boxes.js", "localizer.js", "resize.js", "drawn_images.js", "search.js", "colour.js", "profile.js"].map(load),
);

const asMap = ([rows, columns, values]) => ({ rows, columns, values: Float32Array.from(values) });
const tensor = ({ shape, values }) => ({ shape, values: Float32Array.from(values) });

const answers = {
  resizeMap: ({ map, rows, columns }) => Array.from(maps.resizeMap(asMap(map), rows, columns).values),
  scoreMap: ({ map, rows, columns }) => Array.from(maps.scoreMap(asMap(map), rows, columns)),
  walk: ({ map, affinity, steps }) => Array.from(localizer.walk(asMap(map), tensor(affinity), steps).values),
  inputSize: ({ card, side, height, width }) => localizer.inputSize(card, side, height, width),
  boxes: ({ map, threshold, height, width, probability }) => boxes.boxesInMap(asMap(map), threshold, height, width, probability),
  suppressOverlaps: ({ candidates, most }) => boxes.suppressOverlaps(candidates, most),
  resizePixels: ({ data, height, width, rows, columns }) =>
    Array.from(resize.resizePixels({ data: Uint8Array.from(data), height, width }, rows, columns)),
  overlay: ({ data, scores, strength }) => {
    const pixels = Uint8ClampedArray.from(data);
    drawing.overlay(pixels, Float32Array.from(scores), strength);
    return Array.from(pixels);
  },
  conversion: ({ profile, kind, data }) => {
    const pixels = Uint8ClampedArray.from(data);
    const convert = colour.conversion(Buffer.from(profile, "base64"), kind);
    convert?.(pixels);
    return convert && Array.from(pixels);
  },
  embeddedProfile: async ({ file }) => {
    const found = await profile.embeddedProfile(Uint8Array.from(Buffer.from(file, "base64")).buffer);
    return found && [found.kind, Buffer.from(found.profile).toString("base64")];
  },
  matching: ({ labels, text }) => search.matching(labels, text).map(([, label]) => label),
  locate: async ({ card, preset, height, width, wanted, outputs }) => {
    const seen = [];
    const run = async (_, rows, columns, classes, top) => {
      const output = outputs[seen.length];
      seen.push([rows, columns, classes, top]);
      return {
        logits: Float32Array.from(output.logits),
        chosen: output.chosen,
        class_maps: tensor(output.class_maps),
        affinity: output.affinity && tensor(output.affinity),
        anomaly: output.anomaly && tensor(output.anomaly),
        localization_maps: output.localization_maps && tensor(output.localization_maps),
        localization_class_maps: output.localization_class_maps && tensor(output.localization_class_maps),
      };
    };
    const pixels = { data: new Uint8Array(4 * height * width), height, width };
    const found = await localizer.locate(pixels, { height, width }, card, preset, wanted, run);
    return { predictions: found.predictions.map(({ class_map: _, ...told }) => told), seen };
  },
};

const cases = JSON.parse(readFileSync(0, "utf-8"));
const made = [];
for (const [name, given] of cases) made.push(await answers[name](given));
process.stdout.write(JSON.stringify(made));
