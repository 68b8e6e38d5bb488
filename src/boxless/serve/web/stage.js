// The picture with what was found drawn over it, or why there is none.

import { drawHeat } from "./drawing.js";
import { become, make, percent } from "./elements.js";

const [LEAST, MOST] = [1200, 1600]; // pixels of a drawing's longer side on the page

/** What one reads below a drawing. */
function caption(prediction) {
  const parts = [make("strong", { textContent: prediction.label }), ` ${percent(prediction.probability)}`];
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
 * look: { heat, boxes }, see drawing.js. editor: of the boxes. retry and remove are called from the message about an
 * image that failed. several: whether each shown class has a figure of its own.
 */
export function showStage(stage, picture, look, { editor, several, retry, remove }) {
  const busy = picture.state === "waiting" || picture.state === "working";
  if (picture.state === "failed") {
    drawn = [];
    stage.setAttribute("aria-busy", false);
    become(stage, [failure(picture, retry, remove)]);
    return;
  }
  if (picture.drawable && !picture.image) return; // it is being opened again: keep showing the last drawing
  const depends = [picture, picture.image, picture.found, busy, look.heat, look.boxes, several, ...picture.predictions];
  if (depends.length === drawn.length && depends.every((each, i) => each === drawn[i])) {
    for (const svg of stage.querySelectorAll("svg")) svg.redraw();
    return;
  }
  drawn = depends;
  stage.setAttribute("aria-busy", busy);
  const predictions = picture.predictions.length ? picture.predictions : [null];
  stage.replaceChildren(...predictions.map((prediction) => figure(picture, prediction, look, editor, predictions.length > 1)));
  for (const svg of stage.querySelectorAll("svg")) svg.redraw();
  if (picture.state === "stopped") stage.firstChild.append(make("figcaption", { textContent: "Stopped before anything was found" }));
  if (busy) stage.firstChild.append(make("div", { className: "busy" }));
}

function figure(picture, prediction, look, editor, captioned) {
  if (!picture.image) return make("figure", {}, make("p", { className: "message", textContent: "Opening the picture …" }));
  const longer = Math.max(picture.image.width, picture.image.height);
  const scale = Math.min(MOST / longer, Math.max(1, LEAST / longer));
  const canvas = make("canvas", {
    width: Math.max(1, Math.round(picture.image.width * scale)),
    height: Math.max(1, Math.round(picture.image.height * scale)),
    role: "img",
    "aria-label": described(picture.name, prediction),
  });
  drawHeat(canvas, picture.image, picture.found, prediction, look);
  const boxes = picture.found && look.boxes ? editor.overlay(picture, captioned ? prediction.label : null) : null;
  const words = captioned && prediction ? make("figcaption", {}, ...caption(prediction)) : null;
  return make("figure", {}, make("div", { className: "frame-box" }, canvas, boxes), words);
}

function failure(picture, retry, remove) {
  const { title, message, again } = picture.error;
  return make(
    "div",
    { className: "message", role: "alert" },
    make("h2", { textContent: title ?? "This picture could not be read" }),
    make("p", { textContent: message }),
    make(
      "div",
      { className: "actions" },
      again ? make("button", { className: "primary", textContent: "Try again", onclick: () => retry(picture) }) : null,
      make("button", { textContent: "Remove it", onclick: () => remove(picture) }),
    ),
  );
}

/** The pictures in a row, and a place to add more. */
export function showTray(tray, pictures, { select, choose }) {
  const tiles = pictures.list.map((picture) => {
    const mark = picture.url
      ? make("img", { src: picture.url, alt: "" })
      : make("span", { className: "mark", textContent: picture.state === "failed" ? "!" : "…" });
    const button = make(
      "button",
      {
        type: "button",
        className: picture.state,
        title: picture.name,
        "data-name": picture.name,
        "aria-label": picture.state === "failed" ? `${picture.name}, could not be read` : picture.name,
        "aria-current": picture === pictures.current,
        onclick: () => select(picture),
      },
      mark,
    );
    return make("li", {}, button);
  });
  const more = make(
    "button",
    { type: "button", "aria-label": "Add pictures", title: "Add pictures", onclick: choose },
    make("span", { className: "mark", textContent: "+" }),
  );
  become(tray, [...tiles, make("li", {}, more)]);
}
