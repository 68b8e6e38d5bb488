// All images in a table: what was found in each, at a glance.

import { make, percent } from "./elements.js";
import { Windowed } from "./windowed.js";

const STATES = { waiting: "waiting", working: "working …", failed: "could not be read", stopped: "stopped" };

/** A name as its folders, which are cut off first where there is no room, and the rest. */
function named(name) {
  const at = name.lastIndexOf("/") + 1;
  return [make("span", { className: "folders", textContent: name.slice(0, at) }), make("span", { textContent: name.slice(at) })];
}

function row(image, place, isCurrent, select) {
  const best = image.predictions[0];
  const size = image.found ? `${image.found.width} × ${image.found.height}` : "";
  const corrected = image.annotations.corrected;
  const state = image.error?.again ? "failed" : STATES[image.state];
  const name = make("button", {
    type: "button",
    title: image.name,
    "aria-current": isCurrent,
    "data-name": image.name,
    onclick: () => select(image),
  }, ...named(image.name));
  const cells = [
    make("td", { className: "name" }, name),
    make("td", { textContent: size }),
    make("td", { textContent: state ?? best?.label ?? "", className: best && !best.detected ? "absent" : "" }),
    make("td", { textContent: best && !state ? percent(best.probability) : "" }),
    make("td", { textContent: image.found ? `${image.boxes.length}${corrected ? " ✓" : ""}` : "" }),
    make("td", { textContent: image.found ? `${image.found.seconds.toFixed(2)} s` : "" }),
  ];
  return make("tr", { className: image.state, "aria-rowindex": place + 2 }, ...cells);
}

/** The table of all images in `scroller`; `select` is called with an image. */
export class Table {
  #windowed;
  #table;
  #select;
  #revealed = null;

  constructor(scroller, select) {
    this.#table = scroller.querySelector("table");
    this.#select = select;
    const [room, list] = [scroller.querySelector(".room"), scroller.querySelector("tbody")];
    this.#windowed = new Windowed({ scroller, room, list, guess: 39 });
  }

  show(images) {
    const { ordered, current } = images;
    this.#table.setAttribute("aria-rowcount", ordered.length + 1);
    this.#windowed.show(ordered, (image, place) => row(image, place, image === current, this.#select));
    if (current === this.#revealed) return;
    this.#revealed = current;
    this.#windowed.reveal(ordered.indexOf(current));
  }
}

/** Says how far it is, and which of the buttons beside that make sense. */
export function showProgress({ bar, words, stop, goOn }, images) {
  const { done, all, seconds } = images.progress;
  const [failed, stopped] = ["failed", "stopped"].map((state) => images.list.filter((image) => image.state === state).length);
  const corrected = images.list.filter((image) => image.annotations.corrected).length;
  const busy = done < all;
  bar.hidden = !busy;
  [bar.max, bar.value] = [Math.max(1, all), done];
  const rest = seconds >= 2 ? `, about ${duration(seconds)} left` : "";
  const more = [[failed, "failed"], [stopped, "stopped"], [corrected, "corrected"]].filter(([count]) => count); // prettier-ignore
  const text = busy ? `${done} of ${all}${rest}` : [`${all} ${all === 1 ? "image" : "images"}`, ...more.map((each) => each.join(" "))].join(", ");
  if (words.textContent !== text) words.textContent = text;
  stop.hidden = !busy;
  goOn.hidden = busy || !images.list.some((image) => image.state === "stopped" || image.error?.again);
  goOn.textContent = stopped ? "Continue" : "Retry failed";
}

function duration(seconds) {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
