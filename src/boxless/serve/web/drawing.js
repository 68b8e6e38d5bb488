// Heat and boxes over pixels. The same as boxless/draw.py, but for the lettering.

import { INFERNO } from "./inferno.js";
import { scoreMap } from "./maps.js";

const HEAT = 0.72; // how much of the picture the strongest heat covers
const INK = "#121216";
const COLOURS = ["#e69f00", "#56b4e9"]; // of boxes, the first and the second class: Okabe and Ito

/** Lays heat over RGBA pixels, in place: clear where the score is low. `strength` is in [0, 1]. */
export function overlay(pixels, scores, strength) {
  for (let i = 0; i < scores.length; i++) {
    const score = Math.min(1, Math.max(0, scores[i]));
    const cover = HEAT * strength * score * score * (3 - 2 * score); // a smooth step from clear to covered
    if (cover === 0) continue;
    const colour = 3 * Math.round(score * 255);
    for (let channel = 0; channel < 3; channel++) {
      const at = 4 * i + channel;
      pixels[at] = Math.round(pixels[at] * (1 - cover) + INFERNO[colour + channel] * cover);
    }
  }
}

/** How strong the heat of a prediction is: as its activation is, of what right predictions have. */
export function heatStrength(prediction, typicalActivation) {
  return prediction.boxes.length ? Math.min(1, Math.max(0, prediction.activation / typicalActivation)) : 0;
}

/**
 * Draws a prediction over its picture.
 *
 * canvas: of the size to draw at. image: what can be drawn on a canvas. found: the picture's result. prediction: one of
 * its predictions, or null for the picture alone. look: { heat: 0 to 1, boxes: whether, rank: 0 or 1, line: how thick
 * frames are, 1 where it is left out }.
 */
export function drawFinding(canvas, image, found, prediction, look) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  if (!prediction) return;
  const strength = heatStrength(prediction, found.typical_activation) * look.heat;
  if (prediction.class_map && strength > 0) {
    const picture = context.getImageData(0, 0, canvas.width, canvas.height);
    overlay(picture.data, scoreMap(prediction.class_map, canvas.height, canvas.width), strength);
    context.putImageData(picture, 0, 0);
  }
  if (look.boxes) drawBoxes(context, canvas, found, prediction.boxes, COLOURS[look.rank % COLOURS.length], look.line ?? 1);
}

/** What lines and letters are multiples of, in pixels of the canvas. */
function unitOf({ width, height }) {
  return Math.max(1, Math.min(Math.max(width, height) / 400, Math.min(width, height) / 150));
}

/** Frames, the best one twice as thick; each line lies inside its box, between two dark ones. */
function drawBoxes(context, canvas, found, boxes, colour, thickness) {
  const unit = thickness * unitOf(canvas);
  const [across, down] = [canvas.width / found.width, canvas.height / found.height];
  boxes.forEach(({ box }, rank) => {
    const line = Math.max(1, Math.round(2 * unit * (rank ? 0.5 : 1)));
    const [x0, y0, x1, y1] = [box[0] * across, box[1] * down, box[2] * across, box[3] * down];
    for (const [inset, stroke, ink] of [[0, 3 * line, INK], [line, line, colour]]) {
      const half = inset + stroke / 2;
      if (x1 - x0 <= 2 * half || y1 - y0 <= 2 * half) continue;
      context.strokeStyle = ink;
      context.lineWidth = stroke;
      context.strokeRect(x0 + half, y0 + half, x1 - x0 - 2 * half, y1 - y0 - 2 * half);
    }
  });
}

/** Writes a prediction's name at its best box, whole inside the picture. */
export function drawTitle(canvas, found, prediction, title, rank) {
  const context = canvas.getContext("2d");
  const unit = unitOf(canvas);
  const [size, pad] = [Math.round(13 * unit), Math.round(4 * unit)];
  context.font = `${size}px system-ui, sans-serif`;
  context.textBaseline = "top";
  const [width, height] = [context.measureText(title).width + 3 * pad, size + 2 * pad];
  const box = prediction.boxes.length ? prediction.boxes[0].box : [0, 0];
  const x = Math.max(0, Math.min((box[0] * canvas.width) / found.width, canvas.width - width));
  const y = Math.max(0, Math.min((box[1] * canvas.height) / found.height, canvas.height - height));
  context.fillStyle = INK;
  context.fillRect(x, y, width, height);
  context.fillStyle = COLOURS[rank % COLOURS.length];
  context.fillRect(x, y, pad, height);
  context.fillStyle = "#fff";
  context.fillText(title, x + 2 * pad, y + pad);
}
