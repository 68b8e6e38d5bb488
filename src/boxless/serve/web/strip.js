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

  show(pictures) {
    const { ordered, current } = pictures;
    this.#windowed.show(ordered, (picture) => this.#tile(picture, picture === current));
    if (current === this.#revealed) return;
    this.#revealed = current;
    this.#windowed.reveal(ordered.indexOf(current));
  }

  #tile(picture, isCurrent) {
    const failed = picture.state === "failed";
    const mark = picture.url
      ? make("img", { src: picture.url, alt: "" })
      : make("span", { className: "mark", textContent: failed ? "!" : "…" });
    const button = make(
      "button",
      {
        type: "button",
        className: picture.state,
        title: picture.name,
        "data-name": picture.name,
        "aria-label": failed ? `${picture.name}, failed` : picture.name,
        "aria-current": isCurrent,
        onclick: () => this.#select(picture),
      },
      mark,
    );
    return make("li", {}, button);
  }
}
