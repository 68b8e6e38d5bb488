// The image with what was found drawn over it, or why there is none.

import { drawHeat } from "./drawn_images.js";
import { become, make, percent } from "./elements.js";

const [LEAST, MOST] = [1200, 1600]; // pixels of a drawing's longer side on the page

/** What one reads below a drawing; `way` is the preset or model, where there are two. */
function caption(prediction, way = null) {
  const before = way ? `${way}: ` : "";
  if (!prediction) return [before, "…"];
  const parts = [before, make("strong", { textContent: prediction.label }), ` ${percent(prediction.probability)}`];
  if (!prediction.detected) parts.push(", not located");
  if (prediction.boxes.length > 1) parts.push(`, ${prediction.boxes.length} boxes`);
  return parts;
}

/** What a drawing shows, for those who do not see it. */
function described(name, prediction) {
  if (!prediction) return name;
  if (!prediction.detected) return `${name}: ${prediction.label}, ${percent(prediction.probability)}, not located`;
  if (!prediction.box) return `${name}: ${prediction.label}, ${percent(prediction.probability)}, without a box`;
  const [left, top, right, bottom] = prediction.box.map(Math.round);
  return `${name}: ${prediction.label}, ${percent(prediction.probability)}, from left ${left}, top ${top} to right ${right}, bottom ${bottom}`;
}

let drawn = []; // what the drawing on the stage depends on

/**
 * Shows an image on the stage.
 *
 * look: { heat, boxes }, see drawn_images.js. images: whose current image it is. editor: of the boxes. retry and remove are
 * called from the message about an image that failed.
 */
export function showStage(stage, images, look, { editor, retry, remove }) {
  const { current: image, several, beside } = images;
  const busy = image.busy;
  if (image.state === "failed") {
    drawn = [];
    stage.setAttribute("aria-busy", false);
    become(stage, [failure(image, retry, remove)]);
    return;
  }
  if (image.drawable && !image.bitmap) return; // it is being opened again: keep showing the last drawing
  const other = images.besideOf(image);
  const depends = [image, image.bitmap, image.found, busy, look.heat, look.boxes, several, beside, other?.prediction, ...image.predictions];
  if (depends.length === drawn.length && depends.every((each, i) => each === drawn[i])) {
    for (const svg of stage.querySelectorAll("svg")) svg.redraw();
    return;
  }
  drawn = depends;
  stage.setAttribute("aria-busy", busy);
  const { found } = image;
  const predictions = image.predictions.length ? image.predictions : [null];
  const ways = images.models.length > 1 && beside && beside.model !== images.model ? (way) => way.model.name : (way) => way.preset;
  const figures = predictions.map((prediction) => {
    const only = predictions.length > 1 ? prediction.label : null;
    const overlay = found && look.boxes ? editor.overlay(image, only) : null;
    const words = beside ? caption(prediction, ways(images)) : only && caption(prediction);
    return figure(image, { found, prediction }, look, overlay, words);
  });
  if (beside) {
    const boxes = other?.prediction?.boxes.map((each) => ({ ...each, label: other.prediction.label })) ?? [];
    const overlay = other && look.boxes ? editor.still(image, boxes, other.found) : null;
    figures.push(figure(image, other ?? { found: null, prediction: null }, look, overlay, caption(other?.prediction, ways(beside))));
  }
  stage.replaceChildren(...figures);
  for (const svg of stage.querySelectorAll("svg")) svg.redraw();
  if (image.state === "stopped") stage.firstChild.append(make("figcaption", { textContent: "Stopped before there was a result" }));
  if (busy) stage.firstChild.append(make("div", { className: "busy" }));
  if (beside && !other) stage.lastChild.append(make("div", { className: "busy" }));
}

function figure(image, { found, prediction }, look, overlay, words) {
  if (!image.bitmap) return make("figure", {}, make("p", { className: "message", textContent: image.state === "stopped" ? "Not opened yet" : "Opening the image …" }));
  const longer = Math.max(image.bitmap.width, image.bitmap.height);
  const scale = Math.min(MOST / longer, Math.max(1, LEAST / longer));
  const canvas = make("canvas", {
    width: Math.max(1, Math.round(image.bitmap.width * scale)),
    height: Math.max(1, Math.round(image.bitmap.height * scale)),
    role: "img",
    "aria-label": described(image.name, prediction),
  });
  drawHeat(canvas, image.bitmap, found, prediction, look);
  return make("figure", {}, make("div", { className: "frame-box" }, canvas, overlay), words ? make("figcaption", {}, ...words) : null);
}

function failure(image, retry, remove) {
  const { title, message, again } = image.error;
  return make(
    "div",
    { className: "message", role: "alert" },
    make("h2", { textContent: title ?? "This image could not be read" }),
    make("p", { textContent: message }),
    make(
      "div",
      { className: "actions" },
      again ? make("button", { className: "primary", textContent: "Try again", onclick: () => retry(image) }) : null,
      make("button", { textContent: "Remove it", onclick: () => remove(image) }),
    ),
  );
}
