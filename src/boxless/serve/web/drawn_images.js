// Heat and boxes of downloads and of the camera, over pixels. The same as boxless/imaging/draw.py, but for the lettering.
// Boxes on the page are shapes: see box_shapes.js.

import { wordsOf } from "./box_shapes.js";
import { INFERNO } from "./inferno.js";
import { labelPlaces } from "./labels.js";
import { scoreMap } from "./maps.js";

const HEAT = 0.72; // how much of the image the strongest heat covers
const LEVELS = 1024; // of the score that are told apart
const INK = "#121216";
const COLOURS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#cc79a7", "#d55e00"]; // of classes: Okabe and Ito

/** Lays heat over RGBA pixels (clamped, so that they round), in place: clear where the score is low. `strength` is in [0, 1]. */
export function overlay(pixels, scores, strength) {
  const [kept, warm] = heats(strength);
  for (let i = 0; i < scores.length; i++) {
    const level = (Math.min(1, Math.max(0, scores[i])) * (LEVELS - 1) + 0.5) | 0;
    const keep = kept[level];
    if (keep === 1) continue;
    const at = 4 * i;
    const colour = 3 * level;
    pixels[at] = pixels[at] * keep + warm[colour];
    pixels[at + 1] = pixels[at + 1] * keep + warm[colour + 1];
    pixels[at + 2] = pixels[at + 2] * keep + warm[colour + 2];
  }
}

/** By level of the score: the share of a pixel that is kept, and the colour that is added. */
function heats(strength) {
  const [kept, warm] = [new Float32Array(LEVELS), new Float32Array(3 * LEVELS)];
  for (let level = 0; level < LEVELS; level++) {
    const score = level / (LEVELS - 1);
    const cover = HEAT * strength * score * score * (3 - 2 * score); // a smooth step from clear to covered
    kept[level] = 1 - cover;
    for (let channel = 0; channel < 3; channel++) warm[3 * level + channel] = INFERNO[3 * Math.round(score * 255) + channel] * cover;
  }
  return [kept, warm];
}

/** How strong the heat of a prediction is: as its activation is, of what right predictions have. */
export function heatStrength(prediction, typicalActivation) {
  return prediction.boxes.length ? Math.min(1, Math.max(0, prediction.activation / typicalActivation)) : 0;
}

/**
 * Draws an image with the heat of a prediction over it.
 *
 * canvas: of the size to draw at. bitmap: what can be drawn on a canvas. found: the image's result. prediction: one of
 * its predictions, or null for the image alone. look: { heat: 0 to 1 }.
 */
export function drawHeat(canvas, bitmap, found, prediction, look) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  if (!prediction?.class_map) return;
  const strength = heatStrength(prediction, found.typical_activation) * look.heat;
  if (strength <= 0) return;
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  overlay(pixels.data, scoreMap(prediction.class_map, canvas.height, canvas.width), strength);
  context.putImageData(pixels, 0, 0);
}

/** The colour of a class in an image: each of its classes has one of its own, as far as colours go. */
export function colourOf(image, label) {
  const labels = [...new Set([...image.predictions, ...image.boxes].map((each) => each.label))];
  return COLOURS[Math.max(0, labels.indexOf(label)) % COLOURS.length];
}

/** What lines and letters are multiples of, in pixels of the canvas. */
function unitOf({ width, height }) {
  return Math.max(1, Math.min(Math.max(width, height) / 400, Math.min(width, height) / 150));
}

/** Draws an image's boxes with their names; weak guesses are dashed. */
export function drawBoxes(canvas, image, boxes) {
  const context = canvas.getContext("2d");
  const unit = unitOf(canvas);
  const [across, down] = [canvas.width / image.found.width, canvas.height / image.found.height];
  const frames = boxes.map(({ box: [x0, y0, x1, y1] }) => [x0 * across, y0 * down, x1 * across, y1 * down]);
  const titles = boxes.map(wordsOf);
  frames.forEach(([x0, y0, x1, y1], i) => {
    const { label, score } = boxes[i];
    for (const [width, ink, dash] of [[4 * unit, INK, []], [2 * unit, colourOf(image, label), score !== null && score < 0.5 ? [6 * unit, 4 * unit] : []]]) {
      context.lineWidth = width;
      context.strokeStyle = ink;
      context.setLineDash(dash);
      context.strokeRect(x0, y0, x1 - x0, y1 - y0);
    }
  });
  const places = labelPlaces(frames, titles.map((title) => titleSize(canvas, title)), [canvas.width, canvas.height]);
  places.forEach(([left, top], i) => drawTitle(canvas, titles[i], colourOf(image, boxes[i].label), left, top));
}

/** What a title takes, in pixels of the canvas. */
function titleSize(canvas, title) {
  const context = canvas.getContext("2d");
  const unit = unitOf(canvas);
  const [size, pad] = [Math.round(13 * unit), Math.round(4 * unit)];
  context.font = `${size}px system-ui, sans-serif`;
  return [context.measureText(title).width + 3 * pad, size + 2 * pad];
}

/** Writes a few words at a place. */
export function drawTitle(canvas, title, colour, left, top) {
  const context = canvas.getContext("2d");
  const pad = Math.round(4 * unitOf(canvas));
  const [width, height] = titleSize(canvas, title);
  context.textBaseline = "top";
  context.fillStyle = INK;
  context.fillRect(left, top, width, height);
  context.fillStyle = colour;
  context.fillRect(left, top, pad, height);
  context.fillStyle = "#fff";
  context.fillText(title, left + 2 * pad, top + pad);
}
