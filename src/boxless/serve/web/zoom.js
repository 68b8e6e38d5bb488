// Zoom and pan of the stage: wheel, pinch, buttons, drag, arrow keys.

const MOST = 16;

/** How the stage is zoomed; `apply()` gives it to the frames that are on it. */
export class Zoom {
  #stage;
  #pointers = new Map();
  #pinch = 0;
  scale = 1;
  x = 0; // of the frame's size
  y = 0;

  constructor(stage, changed) {
    this.#stage = stage;
    this.changed = changed;
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#moved(event));
    stage.addEventListener("keydown", (event) => this.#key(event));
    for (const kind of ["pointerup", "pointercancel", "pointerleave"]) stage.addEventListener(kind, (event) => this.#up(event));
  }

  fit() {
    [this.scale, this.x, this.y] = [1, 0, 0];
    this.apply();
  }

  /** Zooms about a point, in shares of the frame from its middle; not below `least`. */
  by(factor, [x, y] = [0, 0], least = Math.min(1, this.scale)) {
    const scale = Math.min(MOST, Math.max(least, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.apply();
  }

  /** A pixel of the image on a pixel of the screen, which makes a small image smaller than the frame. */
  whole({ width, height }) {
    const frame = this.#stage.querySelector(".frame-box");
    if (!frame) return;
    const shown = this.scale * Math.min(frame.clientWidth / width, frame.clientHeight / height);
    this.by(1 / shown / devicePixelRatio, [0, 0], 0);
  }

  apply() {
    const most = Math.max(0, this.scale - 1) / 2;
    this.x = Math.min(most, Math.max(-most, this.x));
    this.y = Math.min(most, Math.max(-most, this.y));
    for (const frame of this.#stage.querySelectorAll(".frame-box")) {
      frame.style.transform = this.scale === 1 ? "" : `translate(${this.x * 100}%, ${this.y * 100}%) scale(${this.scale})`;
      frame.querySelector("svg")?.redraw?.();
    }
    this.#stage.classList.toggle("zoomed", this.scale > 1);
    if (this.scale > 1) this.#stage.tabIndex = 0; // arrows pan
    else this.#stage.removeAttribute("tabindex");
    this.changed(this.scale);
  }

  #share(event) {
    const { left, top, width, height } = this.#stage.getBoundingClientRect();
    return [(event.clientX - left) / width - 0.5, (event.clientY - top) / height - 0.5];
  }

  #wheel(event) {
    if (!event.ctrlKey && this.scale <= 1 && event.deltaY > 0) return; // the page scrolls
    if (!event.ctrlKey && !event.altKey && this.scale <= 1) return; // a wheel alone scrolls until it is zoomed
    event.preventDefault();
    this.by(Math.exp(-event.deltaY / 300), this.#share(event));
  }

  #key(event) {
    const step = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (event.target !== this.#stage || !step) return;
    event.preventDefault(); // else the next image would come
    [this.x, this.y] = [this.x + step[0] / 5, this.y + step[1] / 5];
    this.apply();
  }

  #down(event) {
    this.#pointers.set(event.pointerId, this.#share(event));
    if (this.#pointers.size === 2) this.#pinch = this.#apart();
  }

  #moved(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before || !event.buttons) return;
    const now = this.#share(event);
    this.#pointers.set(event.pointerId, now);
    if (this.#pointers.size === 2) {
      const apart = this.#apart();
      this.by(apart / this.#pinch, now);
      this.#pinch = apart;
    } else if (this.scale > 1) {
      this.x += now[0] - before[0];
      this.y += now[1] - before[1];
      this.apply();
    }
  }

  #up(event) {
    this.#pointers.delete(event.pointerId);
  }

  #apart() {
    const [[x, y], [u, v]] = this.#pointers.values();
    return Math.max(0.01, Math.hypot(x - u, y - v));
  }
}
