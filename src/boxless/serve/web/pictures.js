// The pictures that are looked at, one after the other, and what was found in them.

import { apart } from "./exports.js";

const LISTED = 5; // of the most probable classes; the first of them are shown

/** The pictures, and how they are to be looked at. Tells its listeners whenever something changes. */
export class Pictures extends EventTarget {
  #working = false;

  constructor(engine) {
    super();
    this.engine = engine;
    this.list = [];
    this.current = null;
    this.models = engine.models;
    this.model = engine.models[0];
    this.preset = this.model.defaults.preset;
    this.several = false; // two classes side by side
  }

  /** Adds pictures; the first of them becomes the current one. */
  add(files) {
    const taken = new Set(this.list.map((picture) => picture.name.toLowerCase()));
    const added = [...files].map((file) => new Picture(file, apart(file.name || "picture.png", taken)));
    if (!added.length) return;
    this.list.push(...added);
    this.select(added[0]);
  }

  /** Makes a picture the current one: only that is kept decoded, since a phone's takes 48 MB. */
  select(picture) {
    if (picture !== this.current) this.current?.close();
    this.current = picture;
    this.#changed();
    this.#work();
    if (picture?.drawable && !picture.image) this.#openAgain(picture);
  }

  remove(picture) {
    const at = this.list.indexOf(picture);
    this.list.splice(at, 1);
    picture.forget();
    this.select(this.list[Math.min(at, this.list.length - 1)] ?? null);
  }

  /** Looks again, at all, with another model or preset. */
  lookWith(model, preset) {
    if (model !== this.model) this.list.forEach((picture) => picture.asked.clear());
    Object.assign(this, { model, preset });
    for (const picture of this.list) picture.again();
    this.#changed();
    this.#work();
  }

  /** Looks again at a picture that failed. */
  retry(picture) {
    picture.again();
    this.select(picture);
  }

  /** Shows a class of the current picture; looks for it if it was not looked for yet. */
  show(index) {
    const picture = this.current;
    if (this.several) {
      const others = picture.shown.filter((each) => each !== index);
      picture.shown = picture.shown.includes(index) && others.length ? others : [...others.slice(-1), index];
    } else {
      picture.shown = [index];
    }
    if (!picture.prediction(index)) {
      picture.asked.add(index);
      picture.state = "waiting";
    }
    this.#changed();
    this.#work();
  }

  /** Shows two classes side by side, or one. */
  compare(several) {
    this.several = several;
    for (const picture of this.list) {
      if (!several) picture.shown = picture.shown.slice(-1);
      else if (picture.shown.length < 2) {
        const other = picture.found?.predictions.find((each) => !picture.shown.includes(each.class_index));
        if (other) picture.shown = [...picture.shown, other.class_index];
      }
    }
    this.#changed();
  }

  /** Waits until all are looked at. */
  async finished() {
    while (this.list.some((picture) => picture.state === "waiting" || picture.state === "working")) {
      await new Promise((resolve) => this.addEventListener("change", resolve, { once: true }));
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  async #work() {
    if (this.#working) return;
    this.#working = true;
    try {
      for (;;) {
        const waiting = this.list.filter((picture) => picture.state === "waiting");
        const picture = waiting.find((each) => each === this.current) ?? waiting[0];
        if (!picture) return;
        await this.#look(picture);
      }
    } finally {
      this.#working = false;
    }
  }

  /** Decodes a file of a picture to be drawn; says whether browsers know its kind. */
  async #open(picture, file) {
    const image = await createImageBitmap(file).catch(() => null);
    if (!image) return false;
    if (this.list.includes(picture)) picture.opened(file, picture === this.current ? image : null);
    if (picture.image !== image) image.close();
    this.#changed();
    return true;
  }

  async #openAgain(picture) {
    if (await this.#open(picture, picture.drawable)) return;
    picture.fail(unreadable(picture));
    this.#changed();
  }

  async #look(picture) {
    const { model, preset } = this;
    const { signal } = picture.looking;
    picture.state = "working";
    this.#changed();
    try {
      if (!(await isThere(picture.file))) throw unreadable(picture);
      const shows = picture.drawable || (await this.#open(picture, picture.file));
      if (!picture.found) {
        const found = await this.engine.locate(picture.file, { model: model.name, preset, top: LISTED, signal });
        if (signal.aborted) return;
        picture.found = found;
        const first = found.predictions.map((prediction) => prediction.class_index);
        if (!picture.shown.length) picture.shown = first.slice(0, this.several ? 2 : 1);
      }
      if (!shows) await this.#open(picture, await this.engine.shown(picture.file, picture.found, signal));
      const missing = [...picture.asked].filter((index) => !picture.prediction(index));
      if (missing.length) {
        const more = await this.engine.locate(picture.file, { model: model.name, preset, classes: missing, signal });
        if (signal.aborted) return;
        picture.found.predictions.push(...more.predictions);
      }
      if (picture.state === "working") picture.state = "done";
    } catch (error) {
      if (signal.aborted) return;
      picture.fail(error);
    }
    this.#changed();
  }
}

/** Whether a file has a first byte that can be read; sending one that has not looks as if the service were gone. */
async function isThere(file) {
  const first = await file.slice(0, 1).arrayBuffer().catch(() => null);
  return first?.byteLength > 0;
}

function unreadable({ name }) {
  const error = new Error(`${name} is empty, a folder, or was moved or changed after it was added (add it again)`);
  return Object.assign(error, { title: "This file could not be read", again: true });
}

/** One picture: its file, what it looks like, what was found in it. */
class Picture {
  constructor(file, name) {
    this.file = file;
    this.name = name; // no other picture's
    this.drawable = null; // the file, or another of a kind that browsers show
    this.image = null; // that, decoded, while it is on the page
    this.url = null; // that, for its small picture
    this.asked = new Set(); // classes by index, beside the most probable
    this.shown = []; // classes by index
    this.again();
  }

  again() {
    this.looking?.abort();
    this.looking = new AbortController();
    this.state = "waiting"; // or working, done, failed
    this.found = null;
    this.error = null;
  }

  fail(error) {
    this.state = "failed";
    this.error = error;
  }

  prediction(index) {
    return this.found?.predictions.find((prediction) => prediction.class_index === index);
  }

  /** The predictions that are shown, in the order in which they were chosen. */
  get predictions() {
    return this.shown.map((index) => this.prediction(index)).filter(Boolean);
  }

  /** Takes a file that browsers show, and what it looks like, unless it is not to be drawn now. */
  opened(file, image) {
    this.drawable ??= file;
    this.url ??= URL.createObjectURL(file);
    this.image ??= image;
  }

  close() {
    this.image?.close();
    this.image = null;
  }

  forget() {
    this.looking.abort();
    if (this.url) URL.revokeObjectURL(this.url);
    this.close();
  }
}
