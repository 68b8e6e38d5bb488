// Long lists: only what is in view, and a little around it, is in the page, so that ten thousand rows scroll like ten.

import { become } from "./elements.js";

const SPARE = 4; // rows beyond either edge

/** A list in an element that scrolls. The list's padding stands for the rows that are not there. */
export class Windowed {
  #scroller;
  #room;
  #list;
  #across;
  #pitch = 0; // pixels from one row to the next
  #first = 0; // place of the first item that is in the page
  #items = [];
  #make = null;
  #waits = false;

  /**
   * scroller: what scrolls. room: has the padding. list: holds the items, in rows of `columns()` each. across: whether
   * it scrolls sideways. guess: pixels of a row until one is there to be measured.
   */
  constructor({ scroller, room, list, across = false, columns = () => 1, guess, seen = () => {} }) {
    Object.assign(this, { columns, seen });
    [this.#scroller, this.#room, this.#list, this.#across, this.#pitch] = [scroller, room, list, across, guess];
    const soon = () => {
      if (this.#waits) return;
      this.#waits = true;
      requestAnimationFrame(() => {
        this.#waits = false;
        this.#render(true);
      });
    };
    scroller.addEventListener("scroll", soon, { passive: true });
    new ResizeObserver(() => this.#render()).observe(scroller);
  }

  /** Shows items; `make(item, place)` makes the element of one. */
  show(items, make) {
    [this.#items, this.#make] = [items, make];
    this.#render();
  }

  /** Scrolls until an item is in view. */
  reveal(place) {
    if (place < 0) return;
    const at = Math.floor(place / this.columns()) * this.#pitch;
    const [start, size] = this.#across ? ["scrollLeft", "clientWidth"] : ["scrollTop", "clientHeight"];
    const { [start]: now, [size]: room } = this.#scroller;
    if (at < now) this.#scroller[start] = at;
    else if (at + 2 * this.#pitch > now + room) this.#scroller[start] = at + 2 * this.#pitch - room;
    this.#render();
  }

  /** Shows what is in view. `scrolled`: the items are the same, so that those in the page stay as they are. */
  #render(scrolled = false) {
    if (!this.#make) return;
    const columns = this.columns();
    const rows = Math.ceil(this.#items.length / columns);
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.#scroller;
    const [now, room] = this.#across ? [scrollLeft, clientWidth] : [scrollTop, clientHeight];
    const from = Math.max(0, Math.min(rows - 1, Math.floor(now / this.#pitch) - SPARE));
    const to = Math.min(rows, Math.ceil((now + room) / this.#pitch) + SPARE);
    const [first, last] = [from * columns, Math.min(this.#items.length, to * columns)];
    const focused = this.#list.contains(document.activeElement) ? document.activeElement : null;
    this.#move(first, last);
    if (!scrolled) become(this.#list, this.#items.slice(first, last).map((item, i) => this.#make(item, first + i)));
    if (focused && !focused.isConnected) this.#scroller.focus(); // what had the focus is out of view
    const [before, after] = this.#across ? ["paddingLeft", "paddingRight"] : ["paddingTop", "paddingBottom"];
    this.#room.style[before] = `${from * this.#pitch}px`;
    this.#room.style[after] = `${(rows - to) * this.#pitch}px`;
    this.seen(first, last);
    if (!scrolled) this.#measure(columns, to - from);
  }

  /** Takes away the elements of items before `first` and from `last` on, and makes those that come into view. */
  #move(first, last) {
    const kept = [...this.#list.children];
    const before = this.#first;
    this.#first = first;
    kept.forEach((element, i) => (before + i < first || before + i >= last) && element.remove());
    const made = (from, to) => this.#items.slice(from, Math.max(from, to)).map((item, i) => this.#make(item, from + i));
    if (!this.#list.firstChild) return this.#list.append(...made(first, last));
    this.#list.prepend(...made(first, Math.max(first, before)));
    this.#list.append(...made(before + kept.length, last));
  }

  #measure(columns, rows) {
    const { children } = this.#list;
    if (rows < 2 || children.length <= columns) return;
    const [one, next] = [children[0], children[columns]].map((each) => each.getBoundingClientRect());
    const pitch = this.#across ? next.left - one.left : next.top - one.top;
    if (pitch > 0 && Math.abs(pitch - this.#pitch) > 0.01) {
      this.#pitch = pitch;
      this.#render();
    }
  }
}
