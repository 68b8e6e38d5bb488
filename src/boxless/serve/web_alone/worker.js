// Runs the model beside the page, so that the page answers meanwhile.

import { decoded } from "./decode.js";
import { openGraph } from "./graph.js";
import { locate } from "./localizer.js";

let run;
let card;

const answers = {
  async open({ model, card: given }) {
    card = given;
    run = await openGraph(model);
  },

  async locate({ image, preset, top, classes }) {
    const [pixels, size] = await decoded(image);
    return locate(pixels, size, card, preset, { classes, top }, run);
  },
};

onmessage = async ({ data: { id, ...question } }) => {
  try {
    const [[name, given]] = Object.entries(question);
    postMessage({ id, answer: await answers[name](given) });
  } catch (error) {
    postMessage({ id, refusal: { title: error.title ?? "The model cannot run here", detail: error.message ?? String(error) } });
  }
};
