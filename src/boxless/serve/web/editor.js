// Boxes over an image that can be moved, dragged by their corners, drawn, and worked with the keyboard.

import { colourOf } from "./drawn_images.js";
import { edges, framed, isWeak, placed, shape, wordsOf } from "./box_shapes.js";

const HANDLE = 11; // pixels of the screen: what is seen of a corner
const GRIP = 28; // pixels of the screen: where a finger has it
const LEAST = 3; // pixels of the screen: a shorter drag is a click

/** What is edited: which box is selected, and whether the next drag draws a new one. One for the page. */
export class Editor {
  selected = null; // { label, index }
  adding = false;
  #drag = null;
  #images;
  #resized = new ResizeObserver((entries) => entries.forEach(({ target }) => target.redraw?.()));

  constructor(images) {
    this.#images = images;
  }

  /** Boxes of another model or preset, to be seen only: [{ label, box, score }], of an image of this width and height. */
  still(image, boxes, { width, height }) {
    const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, class: "overlay", "aria-hidden": "true" });
    svg.redraw = () => {
      const matrix = svg.getScreenCTM();
      if (!matrix) return;
      const unit = 1 / matrix.a;
      const places = placed(boxes, unit, [width, height]);
      svg.replaceChildren(...boxes.map((each, i) => shape("g", { class: isWeak(each) ? "box weak" : "box" }, ...framed(each, places[i], colourOf(image, each.label), unit))));
    };
    this.#resized.observe(svg);
    return svg;
  }

  /** The overlay of an image; `only` is the label whose boxes it has, null for all that are shown. */
  overlay(image, only) {
    const { width, height } = image.found;
    const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, class: "overlay", role: "group", "aria-label": "Located objects" });
    svg.redraw = () => this.#draw(svg, image, only);
    svg.onpointerdown = (event) => this.#begin(event, svg, image, only);
    svg.onpointermove = (event) => this.#move(event, svg, image);
    svg.onpointerup = (event) => this.#end(event, svg, image);
    svg.onpointercancel = () => this.#abandon();
    svg.onkeydown = (event) => this.#key(event, image);
    this.#resized.observe(svg);
    return svg;
  }

  select(which) {
    this.selected = which;
    this.adding = false;
    this.#images.changed();
  }

  /** Makes the next drag draw a box, or not. */
  add(adding) {
    this.adding = adding;
    if (adding) this.selected = null;
    this.#images.changed();
  }

  /** Adds a box in the middle of the image, to be moved with the keyboard. */
  addInMiddle() {
    const image = this.#images.current;
    const { width, height } = image.found;
    const box = [0.375 * width, 0.375 * height, 0.625 * width, 0.625 * height].map(hundredths);
    this.select(image.annotations.add(image.predictions, this.#labelOfNew(image), box));
    document.querySelector(".overlay .selected")?.focus();
  }

  #labelOfNew(image) {
    return image.predictions[0]?.label ?? this.#images.labels[0];
  }

  remove() {
    const image = this.#images.current;
    image.annotations.remove(image.predictions, this.selected);
    this.select(null);
  }

  relabel(label) {
    const image = this.#images.current;
    this.select(image.annotations.relabel(image.predictions, this.selected, label));
  }

  undo() {
    this.#images.current.annotations.undo();
    this.select(null);
  }

  #is(each) {
    return this.selected?.label === each.label && this.selected.index === each.index;
  }

  #draw(svg, image, only) {
    const matrix = svg.getScreenCTM();
    if (!matrix || !image.found) return;
    const unit = 1 / matrix.a; // a pixel of the screen
    const boxes = image.boxes.filter(({ label }) => only === null || label === only);
    const depends = JSON.stringify([boxes, image.shown, this.selected, this.adding, this.#drag, unit]);
    if (svg.drawn === depends) return; // nothing changed: keep the elements
    svg.drawn = depends;
    const focused = svg.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    svg.classList.toggle("adding", this.adding);
    const now = boxes.map((each) => {
      const dragged = this.#drag?.which && this.#is(each) && this.#is(this.#drag.which) ? this.#drag.box : each.box;
      return { ...each, box: dragged };
    });
    const places = placed(now, unit, [image.found.width, image.found.height]);
    const parts = now.map((each, i) => this.#box(image, each, places[i], unit));
    if (this.#drag?.handle === "new" && this.#drag.box) {
      parts.push(shape("rect", { ...edges(this.#drag.box), class: "frame new", "stroke-width": 2 * unit }));
    }
    svg.replaceChildren(...parts);
    if (focused) [...svg.querySelectorAll("[data-key]")].find((each) => each.dataset.key === focused)?.focus();
  }

  #box(image, each, place, unit) {
    const { label, index, box, score, corrected } = each;
    const selected = this.#is(each);
    const kind = ["box", selected ? "selected" : "", corrected ? "corrected" : "", isWeak(each) ? "weak" : ""];
    const [x0, y0, x1, y1] = box.map(Math.round);
    const said = `${wordsOf(each)}${corrected ? ", corrected" : ""}: from left ${x0}, top ${y0} to right ${x1}, bottom ${y1}`;
    const parts = framed(each, place, colourOf(image, label), unit);
    if (selected) {
      const { width, height } = image.found;
      for (const [name, x, y] of [["nw", box[0], box[1]], ["ne", box[2], box[1]], ["sw", box[0], box[3]], ["se", box[2], box[3]]]) {
        const corner = (side, kind) => {
          // Whole inside the image, whose border is the stage's.
          const within = (at, most) => Math.max(0, Math.min(most - side, at - side / 2));
          return shape("rect", { x: within(x, width), y: within(y, height), width: side, height: side, class: `${kind} ${name}`, "data-handle": name, "stroke-width": 1.5 * unit });
        };
        parts.push(corner(GRIP * unit, "grip"), corner(HANDLE * unit, "handle"));
      }
    }
    return shape("g", { class: kind.join(" ").trim(), tabindex: 0, role: "button", "aria-pressed": selected, "aria-label": said, "data-key": JSON.stringify({ label, index }) }, ...parts);
  }

  #begin(event, svg, image, only) {
    if (event.button !== 0 || image.state === "failed") return;
    const group = event.target.closest("[data-key]");
    const at = point(event, svg);
    if (this.adding) {
      this.#drag = { handle: "new", from: at, box: null, only };
    } else if (group) {
      const which = JSON.parse(group.dataset.key);
      const { box } = image.boxes.find((each) => each.label === which.label && each.index === which.index);
      this.#drag = { handle: event.target.dataset.handle ?? "all", which, start: box, box, from: at };
      if (!this.#is(which)) this.select(which);
    } else {
      if (this.selected) this.select(null);
      return;
    }
    event.stopPropagation(); // the stage would pan
    svg.setPointerCapture(event.pointerId);
  }

  #move(event, svg, image) {
    if (!this.#drag) return;
    const { handle, from, start } = this.#drag;
    const [x, y] = point(event, svg);
    const { width, height } = image.found;
    if (handle === "new") this.#drag.box = ordered([...from, x, y], width, height);
    else if (handle === "all") {
      const across = Math.min(width - start[2], Math.max(-start[0], x - from[0]));
      const down = Math.min(height - start[3], Math.max(-start[1], y - from[1]));
      this.#drag.box = [start[0] + across, start[1] + down, start[2] + across, start[3] + down];
    } else {
      const box = [...start];
      box[handle.includes("w") ? 0 : 2] += x - from[0];
      box[handle.includes("n") ? 1 : 3] += y - from[1];
      this.#drag.box = ordered(box, width, height);
    }
    svg.redraw();
  }

  #end(event, svg, image) {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag) return;
    const [x, y] = point(event, svg);
    const far = Math.max(Math.abs(x - drag.from[0]), Math.abs(y - drag.from[1])) * svg.getScreenCTM().a >= LEAST;
    if (far && drag.box && drag.box[2] - drag.box[0] >= 1 && drag.box[3] - drag.box[1] >= 1) {
      if (drag.handle === "new") {
        const label = drag.only ?? this.#labelOfNew(image);
        this.select(image.annotations.add(image.predictions, label, drag.box.map(hundredths)));
        return;
      }
      image.annotations.change(image.predictions, drag.which, drag.box.map(hundredths));
    }
    this.#images.changed();
  }

  #abandon() {
    this.#drag = null;
    this.#images.changed();
  }

  #key(event, image) {
    const group = event.target.closest("[data-key]");
    if (!group) return;
    const which = JSON.parse(group.dataset.key);
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Enter" || event.key === " ") this.select(which);
    else if (event.key === "Delete" || event.key === "Backspace") {
      this.selected = which;
      this.remove();
      if (!document.activeElement.closest(".overlay")) document.getElementById("box-undo").focus();
    } else if (event.key === "Escape") this.select(null);
    else if (step) {
      const { width, height } = image.found;
      const { box } = image.boxes.find((each) => each.label === which.label && each.index === which.index);
      const by = step.map((each, i) => each * (event.ctrlKey ? 1 : Math.max(1, Math.round([width, height][i] / 100))));
      const moved = event.shiftKey ? [box[0], box[1], box[2] + by[0], box[3] + by[1]] : [box[0] + by[0], box[1] + by[1], box[2] + by[0], box[3] + by[1]];
      image.annotations.change(image.predictions, which, ordered(moved, width, height).map(hundredths));
      this.select(which);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Where a pointer is, in pixels of the image. */
function point(event, svg) {
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  return [x, y];
}

/** A box inside the image, left before right and top before bottom. */
function ordered([x0, y0, x1, y1], width, height) {
  const within = (value, most) => Math.min(most, Math.max(0, value));
  const [across, down] = [[x0, x1].map((x) => within(x, width)).sort((a, b) => a - b), [y0, y1].map((y) => within(y, height)).sort((a, b) => a - b)];
  return [across[0], down[0], across[1], down[1]];
}

function hundredths(number) {
  return Math.round(number * 100) / 100;
}
