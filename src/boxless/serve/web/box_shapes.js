// Boxes and their labels on the page, as shapes of SVG. Those of downloads and of the camera are in drawn_images.js.

import { percent } from "./elements.js";
import { labelPlaces } from "./labels.js";

const SVG = "http://www.w3.org/2000/svg";

export function shape(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** What is written at a box. */
export function wordsOf({ label, score, corrected }) {
  if (corrected) return `${label} ✓`;
  return score === null ? label : `${label} ${percent(score)}`;
}

export function isWeak({ score }) {
  return score !== null && score < 0.5;
}

/** How large the label of a box is, in pixels of the image; `unit` is a pixel of the screen. */
function labelSize(each, unit) {
  return [(wordsOf(each).length * 0.58 + 1) * 13 * unit, 20 * unit];
}

/** Where the labels of boxes go. */
export function placed(boxes, unit, room) {
  return labelPlaces(boxes.map(({ box }) => box), boxes.map((each) => labelSize(each, unit)), room);
}

/** A box and its label as shapes. */
export function framed(each, [left, top], colour, unit) {
  const [width, height] = labelSize(each, unit);
  const size = 13 * unit;
  return [
    shape("rect", { ...edges(each.box), class: "halo", "stroke-width": 3.5 * unit }),
    shape("rect", { ...edges(each.box), class: "frame", stroke: colour, "stroke-width": 1.75 * unit, "stroke-dasharray": isWeak(each) ? `${6 * unit} ${4 * unit}` : "none" }),
    shape("rect", { x: left, y: top, width, height, class: "plate" }),
    shape("rect", { x: left, y: top, width: 3 * unit, height, fill: colour, class: "tag" }),
    shape("text", { x: left + size / 2 + unit, y: top + 15 * unit, "font-size": size }, wordsOf(each)),
  ];
}

export function edges([x0, y0, x1, y1]) {
  return { x: x0, y: y0, width: Math.max(0, x1 - x0), height: Math.max(0, y1 - y0) };
}
