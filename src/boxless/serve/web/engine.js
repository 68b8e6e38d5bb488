// Locates by asking the service that this page came from. The page without a server has another engine.js.

import { distinct } from "./exports.js";
import { enlarged, enough, shrink } from "./shrink.js";
import { askForToken, bearer, token } from "./token.js";

/** Why an image was refused: what the service's problem document says. */
export class Refusal extends Error {
  constructor(title, detail, { again = false } = {}) {
    super(detail);
    this.title = title;
    this.again = again; // whether it may go well later
  }
}

/** Asks the service, with the token if there is one, and for the token if it wants another; throws a Refusal. */
export async function ask(path, options = {}) {
  const headers = { ...options.headers };
  const known = token();
  if (known) headers.Authorization = bearer(known);
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("The service does not answer", "Is it still running?", { again: true });
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  const detail = problem.detail ?? `${answer.status} ${answer.statusText}`;
  if (answer.status === 401) {
    if (await askForToken(known)) return ask(path, options);
    throw new Refusal("A token is needed", "Without it the service answers nothing.", { again: true });
  }
  if (answer.status >= 500) throw new Refusal("The service cannot answer now", detail, { again: true });
  throw new Refusal("This image could not be read", detail);
}

/** A map (see maps.js) from what JSON has of it; null where the model has none. */
function decodedMap(told) {
  if (!told) return null;
  const bytes = Uint8Array.from(atob(told.data), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const values = Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  return { rows: told.shape[0], columns: told.shape[1], values };
}

/** The images of a folder on the service's machine. */
const onTheService = {
  async about() {
    return (await ask("v1/folder")).json();
  },

  /** { total, images }, a part of those that are asked for. */
  async images({ show, label, offset, limit }) {
    const query = new URLSearchParams({ show, offset, limit });
    if (label) query.set("class", label);
    return (await ask(`v1/folder/images?${query}`)).json();
  },

  async image(id) {
    return (await ask(`v1/folder/images/${id}`)).blob();
  },

  async thumbnail(id) {
    return (await ask(`v1/folder/images/${id}/thumbnail`)).blob();
  },
};

/** Opens the engine: what it can look with, and how. `progress` is not needed here. */
export async function open() {
  const { models, limits, folder } = await (await ask("v1/models")).json();
  return {
    models,
    limits,
    parallel: 2, // requests at a time
    privacy: `Images go to ${location.host}, which keeps none. They, the results and your corrections stay in this browser until you remove them.`,
    links: [["REST interface", "api.html"]],
    examples: ["coffee.jpg", "chelsea.jpg", "rocket.jpg"],
    folder: folder ? onTheService : null,

    async labels(model) {
      return distinct((await (await ask(`v1/models/${encodeURIComponent(model)}/labels`)).json()).labels);
    },

    /** How long an image's longer side has to be at least, and what is sent of it; see shrink.js. */
    enough: (size) => enough(size, Math.max(...models.map((model) => model.largest_scale))),
    shrink,

    /** What is in an image (see `shrink`). `classes` are indices; without them the `top` most probable. */
    async locate(upload, { model, preset, top, classes, signal }) {
      const form = new FormData();
      form.set("model", model);
      form.set("preset", preset);
      form.set("maps", "true");
      if (classes) classes.forEach((index) => form.append("class", index));
      else form.set("top", top);
      form.set("image", upload.file, upload.file.name || "image");
      const start = performance.now();
      const answer = await ask("v1/locate", { method: "POST", body: form, signal });
      const found = await answer.json();
      found.seconds = (performance.now() - start) / 1000;
      for (const prediction of found.predictions) prediction.class_map = decodedMap(prediction.class_map);
      return enlarged(found, upload);
    },

    /**
     * An image of a kind that browsers do not show (TIFF, ...), as one that they do. Nothing is drawn on it: only its
     * least probable prediction is asked for, and that only if it is certain, as the most probable one may be.
     */
    async shown(image, { model, preset, predictions }, signal) {
      const query = new URLSearchParams({ model, preset, class: predictions.at(-1).class_index, min_probability: 1 });
      const headers = { Accept: "image/jpeg", "Content-Type": image.type || "application/octet-stream" };
      return (await ask(`v1/locate?${query}`, { method: "POST", body: image, headers, signal })).blob();
    },
  };
}
