// The images of a folder on the service's machine: a wall of thumbnails with what is in them, to be filtered and opened.

import { make, percent, perhaps, the } from "./elements.js";
import { Windowed } from "./windowed.js";

const PAGE = 200; // images that are asked for at a time
const KEPT = 400; // thumbnails that are kept
const TILE = 168; // pixels of a tile, about
const PAUSE = 1500; // milliseconds, after which it is asked anew while images are still worked on

/** The folder's section. `open(file, name)` is called with what is clicked, `failed(error)` where the service refuses. */
export class Gallery {
  #engine;
  #open;
  #failed;
  #windowed;
  #filter = { show: "all", label: "" };
  #total = 0;
  #pages = new Map(); // by number: images
  #asked = new Map(); // by number: pages that are on their way
  #drawn = true; // whether the page shows what is known
  #thumbnails = new Map(); // by id: the address of a Blob, null before; the oldest first
  #fetching = 0;
  #waits = 0;
  #left = { id: null, top: 0 }; // what was opened last, and from where

  constructor(engine, { open, failed }) {
    [this.#engine, this.#open, this.#failed] = [engine, open, failed];
    const [scroller, list] = [the("folder-scroller"), the("folder-images")];
    const columns = () => Math.max(2, Math.floor((scroller.clientWidth - 8) / TILE));
    const seen = (first, last) => (this.#visible = [Math.floor(first / PAGE), Math.floor(Math.max(first, last - 1) / PAGE)]);
    this.#windowed = new Windowed({ scroller, room: list, list, columns, seen, guess: 160 });
    new ResizeObserver(() => list.style.setProperty("--columns", columns())).observe(scroller);
    the("folder-show").onchange = (event) => this.filter({ show: event.target.value });
    the("folder-class").onchange = (event) => this.filter({ label: event.target.value });
  }

  /** Shows the folder from the beginning, or what a filter leaves of it. */
  async filter(changes = {}) {
    Object.assign(this.#filter, changes);
    the("folder-scroller").scrollTop = 0;
    this.#pages.clear();
    this.#asked.clear();
    await this.refresh();
  }

  /** Asks how far the service is, and anew for what is in view. */
  async refresh() {
    clearTimeout(this.#waits);
    try {
      const folder = await this.#engine.folder.about();
      this.#say(folder);
      await Promise.all([...new Set([0, ...this.#visible])].map((number) => this.#page(number)));
      if (folder.done < folder.images) this.#waits = setTimeout(() => the("folder").hidden || this.refresh(), PAUSE);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Shows the folder as it was when an image of it was opened, which has the focus. */
  async comeBack() {
    const { id, top } = this.#left;
    the("folder-scroller").focus();
    await this.refresh();
    the("folder-scroller").scrollTop = top;
    await new Promise((resolve) => setTimeout(resolve, 100)); // until what is in view then is there
    if (document.activeElement === the("folder-scroller")) the("folder-images").querySelector(`[data-id="${id}"]`)?.focus({ preventScroll: true });
  }

  #visible = [];

  #say({ name, images, done, preset, classes }) {
    the("folder-title").textContent = `Folder ${name}`;
    const words = done < images ? `${done} of ${images} images` : `${images} images, preset ${preset}`;
    if (the("folder-progress").textContent !== words) the("folder-progress").textContent = words;
    const choice = the("folder-class");
    const options = [["", "any class"], ...classes.map(({ label, images: count }) => [label, `${label} (${count})`])];
    if (document.activeElement === choice) return; // it may be open
    choice.replaceChildren(...options.map(([value, textContent]) => make("option", { value, textContent })));
    choice.value = this.#filter.label;
  }

  /** Asks for a page of images. */
  async #page(number) {
    if (this.#asked.has(number)) return;
    const { show, label } = this.#filter;
    const asked = this.#engine.folder.images({ show, label, offset: number * PAGE, limit: PAGE });
    this.#asked.set(number, asked);
    try {
      const { total, images } = await asked;
      if (this.#asked.get(number) !== asked) return; // another filter was chosen meanwhile
      this.#total = total;
      this.#pages.set(number, images);
      this.#show();
    } catch (error) {
      this.#failed(error);
    } finally {
      if (this.#asked.get(number) === asked) this.#asked.delete(number);
    }
  }

  /** Shows what is known, in the next frame. */
  #show() {
    if (!this.#drawn) return;
    this.#drawn = false;
    requestAnimationFrame(() => {
      this.#drawn = true;
      the("folder-none").hidden = this.#total > 0;
      this.#windowed.show(Array.from({ length: this.#total }), (_, place) => this.#tile(place));
    });
  }

  #tile(place) {
    const page = this.#pages.get(Math.floor(place / PAGE));
    if (!page) {
      this.#page(Math.floor(place / PAGE));
      return make("li", {}, make("button", { type: "button", disabled: true }, make("span", { className: "face" }), make("span", { className: "label", textContent: "…" })));
    }
    const image = page[place % PAGE];
    if (!image) return make("li");
    const [name, share] = said(image);
    const face = make("span", { className: "face" });
    if (this.#thumbnails.get(image.id)) face.append(this.#face(image.id));
    else {
      if (image.error) face.append(make("span", { className: "mark", "aria-hidden": "true", textContent: "!" }));
      this.#fetchSoon();
    }
    const button = make(
      "button",
      { type: "button", title: image.name, "aria-label": `${image.name}: ${name}${share}`, "data-id": image.id, onclick: () => this.#take(image) },
      face,
      make("span", { className: `label ${image.error ? "failed" : image.detected ? "" : "absent"}` }, make("span", { className: "name", textContent: name }), share),
    );
    return make("li", {}, button);
  }

  /** Asks for the thumbnails that are missing in what is in view, ten times a second at most: what is scrolled past is not asked for. */
  #fetchSoon() {
    this.#fetching ||= setTimeout(() => {
      this.#fetching = 0;
      for (const button of the("folder-images").querySelectorAll("[data-id]")) {
        if (!button.querySelector("img")) this.#fetch(Number(button.dataset.id));
      }
    }, 100);
  }

  async #fetch(id) {
    if (this.#thumbnails.has(id)) return;
    this.#thumbnails.set(id, null); // on its way, or one that cannot be read
    const blob = await this.#engine.folder.thumbnail(id).catch(() => null);
    if (!blob) return;
    this.#thumbnails.set(id, URL.createObjectURL(blob));
    the("folder-images").querySelector(`[data-id="${id}"] .face`)?.replaceChildren(this.#face(id));
    for (const [old, url] of this.#thumbnails) {
      if (this.#thumbnails.size <= KEPT) break;
      if (url) URL.revokeObjectURL(url);
      this.#thumbnails.delete(old);
    }
  }

  #face(id) {
    return make("img", { src: this.#thumbnails.get(id), alt: "" });
  }

  async #take({ id, name }) {
    this.#left = { id, top: the("folder-scroller").scrollTop };
    try {
      const blob = await this.#engine.folder.image(id);
      this.#open(new File([blob], name.split("/").pop(), { type: blob.type }), name);
    } catch (error) {
      this.#failed(error);
    }
  }
}

/** What is in an image, which is cut off where there is no room, and how probable it is. */
function said({ label, probability, detected, error }) {
  if (error) return ["could not be read", ""];
  if (label === undefined) return ["waiting", ""];
  if (!detected) return ["no class detected", ""];
  return [perhaps({ label, probability }), ` ${percent(probability)}`];
}
