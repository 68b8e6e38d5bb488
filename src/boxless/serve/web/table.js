// All images in a table: what was found in each, at a glance.

import { make, percent } from "./elements.js";
import { Windowed } from "./windowed.js";

const STATES = { waiting: "waiting", working: "working …", failed: "could not be read", stopped: "stopped" };

/** A name as its folders, which are cut off first where there is no room, and the rest. */
function named(name) {
  const at = name.lastIndexOf("/") + 1;
  return [make("span", { className: "folders", textContent: name.slice(0, at) }), make("span", { textContent: name.slice(at) })];
}

function row(picture, place, isCurrent, select) {
  const best = picture.predictions[0];
  const size = picture.found ? `${picture.found.width} × ${picture.found.height}` : "";
  const corrected = picture.annotations.corrected;
  const state = picture.error?.again ? "failed" : STATES[picture.state];
  const name = make("button", {
    type: "button",
    title: picture.name,
    "aria-current": isCurrent,
    "data-name": picture.name,
    onclick: () => select(picture),
  }, ...named(picture.name));
  const cells = [
    make("td", { className: "name" }, name),
    make("td", { textContent: size }),
    make("td", { textContent: state ?? best?.label ?? "", className: best && !best.detected ? "absent" : "" }),
    make("td", { textContent: best && !state ? percent(best.probability) : "" }),
    make("td", { textContent: picture.found ? `${picture.boxes.length}${corrected ? " ✓" : ""}` : "" }),
    make("td", { textContent: picture.found ? `${picture.found.seconds.toFixed(2)} s` : "" }),
  ];
  return make("tr", { className: picture.state, "aria-rowindex": place + 2 }, ...cells);
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

  show(pictures) {
    const { ordered, current } = pictures;
    this.#table.setAttribute("aria-rowcount", ordered.length + 1);
    this.#windowed.show(ordered, (picture, place) => row(picture, place, picture === current, this.#select));
    if (current === this.#revealed) return;
    this.#revealed = current;
    this.#windowed.reveal(ordered.indexOf(current));
  }
}

/** Says how far it is, and which of the buttons beside that make sense. */
export function showProgress({ bar, words, stop, goOn }, pictures) {
  const { done, all, seconds } = pictures.progress;
  const [failed, stopped] = ["failed", "stopped"].map((state) => pictures.list.filter((picture) => picture.state === state).length);
  const corrected = pictures.list.filter((picture) => picture.annotations.corrected).length;
  const busy = done < all;
  bar.hidden = !busy;
  [bar.max, bar.value] = [Math.max(1, all), done];
  const rest = seconds >= 2 ? `, about ${duration(seconds)} left` : "";
  const more = [[failed, "failed"], [stopped, "stopped"], [corrected, "corrected"]].filter(([count]) => count); // prettier-ignore
  const text = busy ? `${done} of ${all}${rest}` : [`${all} ${all === 1 ? "image" : "images"}`, ...more.map((each) => each.join(" "))].join(", ");
  if (words.textContent !== text) words.textContent = text;
  stop.hidden = !busy;
  goOn.hidden = busy || !pictures.list.some((picture) => picture.state === "stopped" || picture.error?.again);
  goOn.textContent = stopped ? "Continue" : "Retry failed";
}

function duration(seconds) {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
