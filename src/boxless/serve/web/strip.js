// The images in a row of thumbnails.

import { make } from "./elements.js";
import { Windowed } from "./windowed.js";

/** A row of thumbnails in `list`, which scrolls sideways in `scroller`; `select` is called with an image. */
export class Strip {
  #windowed;
  #select;
  #revealed = null;

  constructor(scroller, list, select) {
    this.#windowed = new Windowed({ scroller, room: list, list, across: true, guess: 86 });
    this.#select = select;
  }

  show(images) {
    const { ordered, current } = images;
    this.#windowed.show(ordered, (image) => this.#tile(image, image === current));
    if (current === this.#revealed) return;
    this.#revealed = current;
    this.#windowed.reveal(ordered.indexOf(current));
  }

  #tile(image, isCurrent) {
    const failed = image.state === "failed";
    const mark = image.url
      ? make("img", { src: image.url, alt: "" })
      : make("span", { className: "mark", textContent: failed ? "!" : "…" });
    const button = make(
      "button",
      {
        type: "button",
        className: image.state,
        title: image.name,
        "data-name": image.name,
        "aria-label": failed ? `${image.name}, failed` : image.name,
        "aria-current": isCurrent,
        onclick: () => this.#select(image),
      },
      mark,
    );
    return make("li", {}, button);
  }
}
