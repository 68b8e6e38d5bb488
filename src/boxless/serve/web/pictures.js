// The pictures that are looked at, one after the other, and what was found in them.

import { Annotations } from "./annotations.js";
import { apart } from "./exports.js";

const LISTED = 5; // of the most probable classes; the first of them are shown

/** The pictures, and how they are to be looked at. Tells its listeners whenever something changes. */
export class Pictures extends EventTarget {
  #working = 0; // requests under way
  #spent = []; // seconds of each request, to tell how long the rest takes

  constructor(engine) {
    super();
    this.engine = engine;
    this.list = [];
    this.current = null;
    this.models = engine.models;
    this.model = engine.models[0];
    this.preset = this.model.defaults.preset;
    this.labels = []; // of the model's classes
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
    this.changed();
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
    this.changed();
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
    this.changed();
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
    this.changed();
  }

  /** Waits until all are looked at. */
  async finished() {
    while (this.list.some((picture) => picture.busy)) {
      await new Promise((resolve) => this.addEventListener("change", resolve, { once: true }));
    }
  }

  /** Takes all images away. */
  clear() {
    this.list.forEach((picture) => picture.forget());
    this.list = [];
    this.select(null);
  }

  /** Goes to the next image, or the one before. */
  step(by) {
    const at = this.list.indexOf(this.current) + by;
    if (this.list[at]) this.select(this.list[at]);
  }

  /** Leaves off; what is not done yet waits to be told to go on. */
  stop() {
    for (const picture of this.list) if (picture.busy) picture.stop();
    this.changed();
  }

  /** Goes on with what was stopped, and tries again what failed and may go well. */
  goOn() {
    for (const picture of this.list) if (picture.state === "stopped" || picture.error?.again) picture.again();
    this.changed();
    this.#work();
  }

  /** How far it is: how many of all are done, and about how many seconds the rest takes. */
  get progress() {
    const done = this.list.filter((picture) => !picture.busy).length;
    const mean = this.#spent.reduce((sum, seconds) => sum + seconds, 0) / (this.#spent.length || 1);
    return { done, all: this.list.length, seconds: ((this.list.length - done) * mean) / this.engine.parallel };
  }

  /** Tells the listeners. */
  changed() {
    this.dispatchEvent(new Event("change"));
  }

  async #work() {
    if (this.#working >= this.engine.parallel) return;
    this.#working++;
    try {
      for (;;) {
        const waiting = this.list.filter((picture) => picture.state === "waiting");
        const picture = waiting.find((each) => each === this.current) ?? waiting[0];
        if (!picture) return;
        const start = performance.now();
        const looking = this.#look(picture); // which is not waiting from now on
        if (waiting.length > 1) this.#work(); // another one at the same time
        await looking;
        this.#spent = [...this.#spent.slice(-19), (performance.now() - start) / 1000];
      }
    } finally {
      this.#working--;
    }
  }

  /** Decodes a file of a picture to be drawn; says whether browsers know its kind. */
  async #open(picture, file) {
    const image = await createImageBitmap(file).catch(() => null);
    if (!image) return false;
    if (this.list.includes(picture)) picture.opened(file, picture === this.current ? image : null);
    if (picture.image !== image) image.close();
    this.changed();
    return true;
  }

  async #openAgain(picture) {
    if (await this.#open(picture, picture.drawable)) return;
    picture.fail(unreadable(picture));
    this.changed();
  }

  async #look(picture) {
    const { model, preset } = this;
    const { signal } = picture.looking;
    picture.state = "working";
    this.changed();
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
    this.changed();
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
    this.annotations = new Annotations();
    this.asked = new Set(); // classes by index, beside the most probable
    this.shown = []; // classes by index
    this.again();
  }

  again() {
    this.looking?.abort();
    this.looking = new AbortController();
    this.state = "waiting"; // or working, done, failed, stopped
    this.found = null;
    this.error = null;
  }

  stop() {
    this.looking.abort();
    this.looking = new AbortController();
    this.state = this.found ? "done" : "stopped";
  }

  /** Whether it is not done yet. */
  get busy() {
    return this.state === "waiting" || this.state === "working";
  }

  /** The boxes that are shown, as { label, index, box, score, corrected }. */
  get boxes() {
    return this.annotations.all(this.predictions);
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
