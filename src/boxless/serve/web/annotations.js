// The boxes of one image: the model's, until somebody corrects them.

const STEPS = 200; // that can be undone

/** Corrections of one image, by class. A box is { box: [x0, y0, x1, y1], score, corrected }, score null where drawn by hand. */
export class Annotations {
  #edited = new Map(); // by label: all boxes of a class that somebody has corrected
  #past = [];

  /** Whether anything was corrected. */
  get corrected() {
    return this.#edited.size > 0;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  /** The boxes of a class: the corrected ones, or the model's prediction (which may be missing). */
  of(label, prediction) {
    return this.#edited.get(label) ?? (prediction?.boxes ?? []).map((each) => ({ ...each, corrected: false }));
  }

  /** All boxes, as { label, index, box, score, corrected }: of the predictions that are shown, and of corrected classes. */
  all(predictions) {
    const labels = new Map(predictions.map((prediction) => [prediction.label, prediction]));
    for (const label of this.#edited.keys()) if (!labels.has(label)) labels.set(label, null);
    return [...labels].flatMap(([label, prediction]) => this.of(label, prediction).map((box, index) => ({ ...box, label, index })));
  }

  /** Whether boxes of this class were corrected. */
  has(label) {
    return this.#edited.has(label);
  }

  /** Gives a box other edges. */
  change(predictions, { label, index }, box) {
    const boxes = [...this.#shown(predictions, label)];
    boxes[index] = { box, score: null, corrected: true };
    this.#set([[label, boxes]]);
  }

  remove(predictions, { label, index }) {
    this.#set([[label, this.#shown(predictions, label).filter((_, i) => i !== index)]]);
  }

  /** Adds a box; returns which one it is. */
  add(predictions, label, box) {
    const boxes = [...this.#shown(predictions, label), { box, score: null, corrected: true }];
    this.#set([[label, boxes]]);
    return { label, index: boxes.length - 1 };
  }

  /** Gives a box another class; returns which one it is then. */
  relabel(predictions, { label, index }, other) {
    if (label === other) return { label, index };
    const [from, to] = [this.#shown(predictions, label), this.#shown(predictions, other)];
    const moved = { ...from[index], score: null, corrected: true };
    this.#set([[label, from.filter((_, i) => i !== index)], [other, [...to, moved]]]); // prettier-ignore
    return { label: other, index: to.length };
  }

  /** The corrections as plain data, another object after each change. */
  get state() {
    return this.#edited;
  }

  /** Takes corrections over that were kept. */
  restore(state) {
    this.#edited = state;
  }

  /** Takes the last correction back. */
  undo() {
    if (this.#past.length) this.#edited = this.#past.pop();
  }

  #shown(predictions, label) {
    return this.of(label, predictions.find((prediction) => prediction.label === label));
  }

  #set(entries) {
    this.#past = [...this.#past.slice(1 - STEPS), this.#edited];
    this.#edited = new Map([...this.#edited, ...entries]);
  }
}
