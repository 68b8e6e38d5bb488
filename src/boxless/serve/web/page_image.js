// One image: its file, what it looks like, what was found in it, and what somebody corrected.

import { Annotations } from "./annotations.js";

const THUMBNAIL = 152; // pixels of its shorter side

/** A model and one of its presets, as the key that results are kept under; another file of the same name has another one. */
export function wayKey({ name, version }, preset) {
  return JSON.stringify([name, version, preset]);
}

/** One image. */
export class PageImage {
  /** What is kept of an image when the page is closed; see `restored`. */
  get record() {
    const { id, name, asked, shown, results, thumbnail, frame } = this;
    const shows = this.drawable === this.file;
    return { id, name, frame, asked: [...asked], shown, results: [...results], thumbnail, shows, corrections: this.annotations.state };
  }

  /** The image of a record and its file. */
  static restored({ id, name, frame, asked, shown, results, thumbnail, shows, corrections }, file) {
    const image = new PageImage(file, name, id);
    Object.assign(image, { frame, asked: new Set(asked), shown, results: new Map(results), drawable: shows ? file : null });
    image.annotations.restore(corrections);
    if (thumbnail) image.#face(thumbnail);
    return image;
  }

  constructor(file, name, id = `${Date.now()}-${Math.random()}`) {
    this.file = file;
    this.name = name; // no other image's
    this.id = id; // in the browser's store
    this.drawable = null; // the file, or another of a kind that browsers show
    this.bitmap = null; // that, decoded, perhaps smaller, while it is on the page
    this.size = null; // { width, height } of that in the file
    this.url = null; // of its thumbnail
    this.annotations = new Annotations();
    this.results = new Map(); // by way: what was found, so that nothing is asked for twice
    this.asked = new Set(); // classes by index, beside the most probable
    this.shown = []; // classes by index
    this.frame = null; // { clip, seconds, shot }, where it is one of a clip
    this.upload = null; // what was sent of it, while it is likely to be sent again
    this.thumbnail = null; // a small JPEG of it
    this.way = null; // the present one's key
    this.again(null);
  }

  /** What the present model and preset found; null where they have not worked on it yet. */
  get found() {
    return this.results.get(this.way) ?? null;
  }

  /** Whether all that is asked for is there. */
  get complete() {
    return Boolean(this.found) && this.drawable !== null && [...this.asked].every((index) => this.prediction(index));
  }

  /** Begins anew, unless all that is asked for is known. */
  again(way) {
    this.working?.abort();
    this.working = new AbortController();
    this.way = way;
    this.error = null;
    this.state = this.complete ? "done" : "waiting"; // or working, failed, stopped
  }

  stop() {
    this.working.abort();
    this.working = new AbortController();
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

  /** Takes a file that browsers show, and what it looks like. */
  async opened(file, bitmap) {
    this.drawable ??= file;
    if (!this.url) this.#face(await thumbnail(bitmap));
  }

  #face(small) {
    this.thumbnail = small;
    this.url = URL.createObjectURL(small);
  }

  close() {
    this.bitmap?.close();
    this.bitmap = null;
  }

  forget() {
    this.working.abort();
    if (this.url) URL.revokeObjectURL(this.url);
    this.close();
  }
}

/** An image made small: hundreds of large ones, decoded to be shown small, would take gigabytes. */
function thumbnail(bitmap) {
  const scale = Math.min(1, THUMBNAIL / Math.min(bitmap.width, bitmap.height));
  const side = (length) => Math.max(1, Math.min(4 * THUMBNAIL, Math.round(length * scale)));
  const canvas = new OffscreenCanvas(side(bitmap.width), side(bitmap.height));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
}
