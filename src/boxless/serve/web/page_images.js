// The images on the page: which one is shown, and who works on which, one after the other.

import { pathOf } from "./doors.js";
import { apart } from "./exports.js";
import { isThere, reduced, unreadable } from "./opening.js";
import { PageImage, wayKey } from "./page_image.js";

const LISTED = 5; // of the most probable classes; the first of them are shown

/** How images can be sorted: by name of the order, what is compared; smaller comes first. */
const ORDERS = {
  added: () => 0,
  doubt: (image) => (image.state === "failed" ? -1 : (image.predictions[0]?.probability ?? 2)),
  probable: (image) => -(image.predictions[0]?.probability ?? -1),
};

/** A result whose labels are the page's, each of which one class has (see `distinct`). */
function labelled(found, labels) {
  for (const prediction of found.predictions) prediction.label = labels[prediction.class_index];
  return found;
}

/** The images, and how they are to be worked on. Tells its listeners whenever something changes. */
export class PageImages extends EventTarget {
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
    this.beside = null; // { model, preset, labels }: another way whose result stands beside the present one's
    this.order = "added";
  }

  get way() {
    return wayKey(this.model, this.preset);
  }

  /** The images in the order that is chosen. */
  get ordered() {
    if (this.order === "added") return this.list;
    const rank = new Map(this.list.map((image) => [image, ORDERS[this.order](image)]));
    return [...this.list].sort((one, other) => rank.get(one) - rank.get(other));
  }

  /** Adds files; the first of them becomes the current image. `frame`: see clips.js, where it is one of a clip. */
  add(files, frame = null) {
    const taken = new Set(this.list.map((image) => image.name.toLowerCase()));
    const added = [...files].map((file) => new PageImage(file, apart(pathOf(file) || "image.png", taken)));
    for (const image of added) image.frame = frame;
    this.put(added, frame?.seconds > 0 && this.current?.frame);
  }

  /** Adds images; the first of them becomes the current one, unless that is to stay. */
  put(added, stays = false) {
    if (!added.length) return;
    for (const image of added) image.again(this.way);
    this.list = [...this.list, ...added];
    this.select(stays ? this.current : added[0]);
  }

  /** Makes an image the current one: only that is kept decoded. */
  select(image) {
    if (image !== this.current) this.current?.close();
    this.current = image;
    this.changed();
    this.#work();
    this.#openCurrent();
    this.#workBeside();
  }

  /** Decodes the current image, where nobody else is about to. */
  #openCurrent() {
    const image = this.current;
    if (image && !image.bitmap && (image.drawable || image.state === "stopped")) this.#openAgain(image);
  }

  remove(image) {
    const at = this.ordered.indexOf(image);
    this.list = this.list.filter((each) => each !== image);
    image.forget();
    this.select(this.ordered[Math.min(at, this.list.length - 1)] ?? null);
  }

  /** Works on all with another model or preset; what is known of them already stays known. */
  useWay(model, preset) {
    if (model !== this.model) {
      for (const image of this.list) {
        image.asked.clear();
        image.shown = [];
      }
    }
    Object.assign(this, { model, preset });
    for (const image of this.list) {
      image.again(this.way);
      this.#showFirst(image);
    }
    this.changed();
    this.#work();
    this.#workBeside();
  }

  /** Tries an image that failed again. */
  retry(image) {
    image.again(this.way);
    this.select(image);
  }

  /** Shows a class of the current image, or of all; it is searched for where it was not yet. */
  show(index, everywhere = false) {
    for (const image of everywhere ? this.list : [this.current]) {
      if (this.several) {
        const others = image.shown.filter((each) => each !== index);
        image.shown = image.shown.includes(index) && others.length ? others : [...others.slice(-1), index];
      } else {
        image.shown = [index];
      }
      if (image.prediction(index)) continue;
      image.asked.add(index);
      if (image.state === "done") image.state = "waiting";
    }
    this.changed();
    this.#work();
    this.#workBeside();
  }

  /** Shows two classes side by side, or another way beside the present one, or neither. */
  compare(several, beside = null) {
    this.several = several;
    this.beside = beside;
    for (const image of this.list) {
      if (!several) image.shown = image.shown.slice(0, 1);
      else if (image.shown.length < 2) {
        const other = image.found?.predictions.find((each) => !image.shown.includes(each.class_index));
        if (other) image.shown = [...image.shown, other.class_index];
      }
    }
    this.changed();
    this.#workBeside();
  }

  /** What the other way found in an image, and what of it is shown: { found, prediction }, or null while it is not there. */
  besideOf(image) {
    const found = this.beside && image.results.get(wayKey(this.beside.model, this.beside.preset));
    if (!found) return null;
    const label = image.predictions[0]?.label;
    return { found, prediction: found.predictions.find((each) => each.label === label) ?? found.predictions[0] ?? null };
  }

  /** Waits until all are worked on. */
  async finished() {
    while (this.list.some((image) => image.busy)) {
      await new Promise((resolve) => this.addEventListener("change", resolve, { once: true }));
    }
  }

  /** Takes all images away. */
  clear() {
    this.list.forEach((image) => image.forget());
    this.list = [];
    this.select(null);
  }

  /** Goes to the next image, or the one before. */
  step(by) {
    const { ordered } = this;
    const next = ordered[ordered.indexOf(this.current) + by];
    if (next) this.select(next);
  }

  /** Leaves off; what is not done yet waits to be told to go on. */
  stop() {
    for (const image of this.list) if (image.busy) image.stop();
    this.changed();
    this.#openCurrent();
  }

  /** Goes on with what was stopped, and tries again what failed and may go well. */
  goOn() {
    for (const image of this.list) if (image.state === "stopped" || image.error?.again) image.again(this.way);
    this.changed();
    this.#work();
  }

  /** How far it is: how many of all are done, and about how many seconds the rest takes. */
  get progress() {
    const done = this.list.filter((image) => !image.busy).length;
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
        const waiting = this.list.filter((image) => image.state === "waiting");
        const image = waiting.find((each) => each === this.current) ?? waiting[0];
        if (!image) return;
        const start = performance.now();
        const locating = this.#locate(image); // which is not waiting from now on
        if (waiting.length > 1) this.#work(); // another one at the same time
        await locating;
        this.#spent = [...this.#spent.slice(-19), (performance.now() - start) / 1000];
      }
    } finally {
      this.#working--;
    }
  }

  /** Decodes a file of an image; null where browsers do not know its kind. The image is closed unless it is on the page. */
  async #open(image, file, use = () => null) {
    const whole = await createImageBitmap(file).catch(() => null);
    if (!whole) return null;
    image.size = { width: whole.width, height: whole.height };
    const bitmap = reduced(whole, this.engine.enough(image.size));
    const used = use(bitmap); // this and the thumbnail draw it at once, so that it may be closed
    if (this.list.includes(image)) image.opened(file, bitmap).then(() => this.changed());
    if (image === this.current && !image.bitmap) image.bitmap = bitmap;
    else bitmap.close();
    this.changed();
    return { used: await used };
  }

  async #openAgain(image) {
    if (await this.#open(image, image.drawable ?? image.file)) return;
    if (image.state === "stopped") return; // the service may be able to read it
    image.fail(unreadable(image));
    this.changed();
  }

  async #locate(image) {
    const { model, preset, labels, way } = this;
    const { signal } = image.working;
    image.state = "working";
    this.changed();
    try {
      if (!(await isThere(image.file))) throw unreadable(image);
      let upload = null;
      const ask = async (wanted) => {
        upload ??= await this.#upload(image);
        return labelled(await this.engine.locate(upload, { model: model.name, preset, signal, ...wanted }), labels);
      };
      if (!image.results.has(way)) {
        const found = await ask({ top: LISTED });
        if (signal.aborted) return;
        image.results.set(way, found);
      }
      this.#showFirst(image);
      const shows = image.drawable || (await this.#open(image, image.file));
      if (!shows) await this.#open(image, await this.engine.shown(image.file, image.found, signal));
      const asked = [...image.asked]; // more may be, meanwhile
      const missing = asked.filter((index) => !image.prediction(index));
      if (missing.length) {
        const more = await ask({ classes: missing });
        if (signal.aborted) return;
        image.found.predictions.push(...more.predictions);
      }
      if (image.state === "working") image.state = image.asked.size > asked.length ? "waiting" : "done";
    } catch (error) {
      if (signal.aborted) return;
      if (image.found && image.drawable) this.#giveUp(image, error);
      else image.fail(error);
    }
    this.changed();
  }

  /** Leaves the classes that could not be had: the image still has a result, and others to show. */
  #giveUp(image, error) {
    const known = (index) => image.prediction(index);
    image.asked = new Set([...image.asked].filter(known));
    image.shown = image.shown.filter(known);
    this.#showFirst(image);
    image.state = "done";
    this.#trouble(error);
  }

  #trouble(error) {
    this.dispatchEvent(Object.assign(new Event("trouble"), { error }));
  }

  /** What is sent of an image: { file, width, height }, smaller than the original where the engine makes it so. */
  async #upload(image) {
    if (image.upload) return image.upload;
    const isCurrent = image === this.current;
    const shrink = (bitmap) => this.engine.shrink(image.file, bitmap, image.size);
    const opened = image.bitmap
      ? { used: await shrink(image.bitmap) }
      : await this.#open(image, image.drawable ?? image.file, shrink);
    if (!opened) return { file: image.file }; // of a kind that browsers do not know
    if (isCurrent) this.#keep(image, opened.used); // its other classes and presets are asked for next
    return opened.used;
  }

  #keep(image, upload) {
    for (const each of this.list) each.upload = null;
    image.upload = upload;
  }

  /** Shows the most probable class of an image, where none is chosen. */
  #showFirst(image) {
    if (image.shown.length || !image.found) return;
    image.shown = image.found.predictions.slice(0, this.several ? 2 : 1).map((prediction) => prediction.class_index);
  }

  /** Has the current image worked on in the other way too, where one is to stand beside. */
  async #workBeside() {
    const { beside, current } = this;
    if (!beside || !current || current.state === "failed") return;
    const key = wayKey(beside.model, beside.preset);
    const label = current.predictions[0]?.label;
    const known = current.results.get(key);
    const index = label === undefined ? -1 : beside.labels.indexOf(label);
    if (known && (index < 0 || known.predictions.some((each) => each.label === label))) return;
    try {
      const upload = await this.#upload(current);
      const wanted = known ? { classes: [index] } : { top: LISTED };
      const found = labelled(await this.engine.locate(upload, { model: beside.model.name, preset: beside.preset, ...wanted }), beside.labels);
      if (known) known.predictions.push(...found.predictions);
      else current.results.set(key, found);
      this.changed();
      if (!known) this.#workBeside(); // the class that is shown may be missing
    } catch (error) {
      this.beside = null;
      this.changed();
      this.#trouble(error);
    }
  }
}
