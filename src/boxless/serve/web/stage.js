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
 * look: { heat, boxes }, see drawn_images.js. pictures: whose current image it is. editor: of the boxes. retry and remove are
 * called from the message about an image that failed.
 */
export function showStage(stage, pictures, look, { editor, retry, remove }) {
  const { current: picture, several, beside } = pictures;
  const busy = picture.busy;
  if (picture.state === "failed") {
    drawn = [];
    stage.setAttribute("aria-busy", false);
    become(stage, [failure(picture, retry, remove)]);
    return;
  }
  if (picture.drawable && !picture.image) return; // it is being opened again: keep showing the last drawing
  const other = pictures.besideOf(picture);
  const depends = [picture, picture.image, picture.found, busy, look.heat, look.boxes, several, beside, other?.prediction, ...picture.predictions];
  if (depends.length === drawn.length && depends.every((each, i) => each === drawn[i])) {
    for (const svg of stage.querySelectorAll("svg")) svg.redraw();
    return;
  }
  drawn = depends;
  stage.setAttribute("aria-busy", busy);
  const { found } = picture;
  const predictions = picture.predictions.length ? picture.predictions : [null];
  const ways = pictures.models.length > 1 && beside && beside.model !== pictures.model ? (way) => way.model.name : (way) => way.preset;
  const figures = predictions.map((prediction) => {
    const only = predictions.length > 1 ? prediction.label : null;
    const overlay = found && look.boxes ? editor.overlay(picture, only) : null;
    const words = beside ? caption(prediction, ways(pictures)) : only && caption(prediction);
    return figure(picture, { found, prediction }, look, overlay, words);
  });
  if (beside) {
    const boxes = other?.prediction?.boxes.map((each) => ({ ...each, label: other.prediction.label })) ?? [];
    const overlay = other && look.boxes ? editor.still(picture, boxes, other.found) : null;
    figures.push(figure(picture, other ?? { found: null, prediction: null }, look, overlay, caption(other?.prediction, ways(beside))));
  }
  stage.replaceChildren(...figures);
  for (const svg of stage.querySelectorAll("svg")) svg.redraw();
  if (picture.state === "stopped") stage.firstChild.append(make("figcaption", { textContent: "Stopped before there was a result" }));
  if (busy) stage.firstChild.append(make("div", { className: "busy" }));
  if (beside && !other) stage.lastChild.append(make("div", { className: "busy" }));
}

function figure(picture, { found, prediction }, look, overlay, words) {
  if (!picture.image) return make("figure", {}, make("p", { className: "message", textContent: picture.state === "stopped" ? "Not opened yet" : "Opening the image …" }));
  const longer = Math.max(picture.image.width, picture.image.height);
  const scale = Math.min(MOST / longer, Math.max(1, LEAST / longer));
  const canvas = make("canvas", {
    width: Math.max(1, Math.round(picture.image.width * scale)),
    height: Math.max(1, Math.round(picture.image.height * scale)),
    role: "img",
    "aria-label": described(picture.name, prediction),
  });
  drawHeat(canvas, picture.image, found, prediction, look);
  return make("figure", {}, make("div", { className: "frame-box" }, canvas, overlay), words ? make("figcaption", {}, ...words) : null);
}

function failure(picture, retry, remove) {
  const { title, message, again } = picture.error;
  return make(
    "div",
    { className: "message", role: "alert" },
    make("h2", { textContent: title ?? "This image could not be read" }),
    make("p", { textContent: message }),
    make(
      "div",
      { className: "actions" },
      again ? make("button", { className: "primary", textContent: "Try again", onclick: () => retry(picture) }) : null,
      make("button", { textContent: "Remove it", onclick: () => remove(picture) }),
    ),
  );
}
