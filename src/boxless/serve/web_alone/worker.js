// Runs the model beside the page, so that the page answers meanwhile.

import { openGraph } from "./graph.js";
import { locate } from "./localizer.js";

const LARGEST = 16_000_000; // pixels that are located in; larger images are made smaller first

let run;
let card;

/** A file's pixels, RGBA with transparent parts white, and the size of the image as displayed. */
async function decoded(file) {
  let image;
  try {
    image = await createImageBitmap(file);
  } catch {
    const title = "This image could not be read";
    const heic = /\.hei[cf]$/i.test(file.name) || /hei[cf]/.test(file.type);
    const why = heic
      ? "a HEIC image, which this browser does not show: export it as JPEG (on an iPhone, Settings > Camera > Formats > Most Compatible takes JPEGs from then on)"
      : "not an image, or of a kind that this browser does not show";
    throw Object.assign(new Error(`${file.name || "image"}: ${why}`), { title });
  }
  const { width, height } = image;
  const scale = Math.min(1, Math.sqrt(LARGEST / (width * height)));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  return [context.getImageData(0, 0, canvas.width, canvas.height), { height, width }];
}

const answers = {
  async open({ model, card: given }) {
    card = given;
    run = await openGraph(model);
  },

  async locate({ picture, preset, top, classes }) {
    const [pixels, size] = await decoded(picture);
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
