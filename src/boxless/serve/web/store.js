// What the page keeps in this browser, so that a reload loses nothing: images, results and corrections (IndexedDB).

import { PageImage } from "./page_image.js";

const NAME = `boxless ${location.pathname}`; // a host may have several such pages
const PAUSE = 150; // milliseconds from a change until it is kept, with those that follow

/** Resolves to the result of a request. */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function database() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    for (const each of ["files", "records"]) request.result.createObjectStore(each);
  };
  return done(request);
}

/** Remembers a choice, plain data, for when the page is opened again; browsers may forbid it. */
export function remember(choice) {
  try {
    localStorage.setItem(NAME, JSON.stringify(choice));
  } catch {
    // then it is not remembered
  }
}

/** The choice that was remembered; {} where there is none. */
export function remembered() {
  try {
    return JSON.parse(localStorage.getItem(NAME)) ?? {};
  } catch {
    return {};
  }
}

/** Keeps the images of the page. Where the browser keeps nothing, `failed` is called with the reason. */
export class Store {
  #database = null;
  #opened; // resolves once the database is, or is not
  #kept = new Map(); // by id: what the record was made of
  #waits = 0;
  #last = Promise.resolve(); // one write after the other

  constructor(failed) {
    this.failed = failed;
    this.#opened = database().then((opened) => (this.#database = opened), failed);
  }

  /** The images that were kept, in their order, with the results of models that are still the same. */
  async restore(models) {
    await this.#opened;
    try {
      return this.#database ? await this.#restored(models) : [];
    } catch (error) {
      this.failed(error);
      return [];
    }
  }

  async #restored(models) {
    const transaction = this.#database.transaction(["files", "records"]);
    const [files, records] = ["files", "records"].map((name) => transaction.objectStore(name));
    const [ids, contents, described] = await Promise.all([done(files.getAllKeys()), done(files.getAll()), done(records.getAll())]);
    const known = new Map(ids.map((id, i) => [id, contents[i]]));
    const current = (key) => models.some(({ name, version }) => JSON.parse(key)[0] === name && JSON.parse(key)[1] === version);
    return described
      .filter(({ id }) => known.has(id))
      .sort((one, other) => one.place - other.place)
      .map((record) => PageImage.restored({ ...record, results: record.results.filter(([key]) => current(key)) }, known.get(record.id)));
  }

  /** Keeps what has changed, in a moment; `list()` gives the images as they are then. */
  changed(list) {
    this.#waits ||= setTimeout(() => {
      this.#waits = 0;
      this.flush(list());
    }, PAUSE);
  }

  /** Keeps what has changed now. */
  flush(list) {
    this.#last = this.#last.then(() => this.#write(list)).catch((error) => this.failed(error));
    return this.#last;
  }

  async #write(list) {
    await this.#opened;
    if (!this.#database) return;
    const gone = new Set(this.#kept.keys());
    const transaction = this.#database.transaction(["files", "records"], "readwrite");
    const [files, records] = ["files", "records"].map((name) => transaction.objectStore(name));
    const written = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
    const kept = new Map();
    let waits = false;
    list.forEach((image, place) => {
      gone.delete(image.id);
      const { shown, asked, thumbnail, annotations, results } = image;
      const found = [...results].flatMap(([key, { predictions }]) => [key, predictions.length]);
      const made = [place, shown, asked.size, thumbnail, annotations.state, ...found];
      const before = this.#kept.get(image.id);
      if (!before) files.put(image.file, image.id);
      else if (made.some((each, i) => each !== before[i])) {
        waits = true; // another tab may have removed it
        files.getKey(image.id).onsuccess = ({ target }) => target.result ?? files.put(image.file, image.id);
      }
      if (!before || made.length !== before.length || made.some((each, i) => each !== before[i])) {
        records.put({ ...image.record, place }, image.id);
      }
      kept.set(image.id, made);
    });
    for (const id of gone) {
      files.delete(id);
      records.delete(id);
    }
    if (!waits) transaction.commit(); // the page may be about to be closed
    await written;
    this.#kept = kept;
  }

  /** Takes restored images as kept. */
  knows(list) {
    for (const { id } of list) this.#kept.set(id, []);
  }
}
