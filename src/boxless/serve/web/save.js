// Downloads of what is shown.

import { colourOf, drawBoxes, drawHeat, drawTitle } from "./drawn_images.js";
import { percent } from "./elements.js";
import { apart, asCoco, asCsv, asJson, asVoc, asYolo, flat, stem } from "./exports.js";
import { zip } from "./zip.js";

const MOST_PIXELS = 12_000_000;

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** What each image shows; those that failed, or were stopped, are left out, and on request those that nobody corrected. */
function shownOf(images, onlyCorrected) {
  return images.list.filter(({ found, annotations }) => found && (annotations.corrected || !onlyCorrected));
}

/** An image in its own size, as JPEG; two classes stand side by side. */
async function drawn(image, look, several) {
  const { drawable, found, predictions, boxes } = image;
  const bitmap = await createImageBitmap(drawable); // the page's own is closed once another image is selected
  const shown = several && predictions.length > 1 ? predictions : [predictions[0] ?? null];
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (shown.length * bitmap.width * bitmap.height)));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const sheet = new OffscreenCanvas(shown.length * width, height);
  shown.forEach((prediction, place) => {
    const canvas = new OffscreenCanvas(width, height);
    const own = boxes.filter(({ label }) => shown.length === 1 || label === prediction.label);
    drawHeat(canvas, bitmap, found, prediction, look);
    if (look.boxes) drawBoxes(canvas, image, own);
    if (prediction && !own.some(({ label }) => label === prediction.label)) {
      const state = prediction.detected ? `${prediction.label} ${percent(prediction.probability)}, no box` : `${prediction.label} ${percent(prediction.probability)}, not located`;
      drawTitle(canvas, state, colourOf(image, prediction.label), 0, 0);
    }
    sheet.getContext("2d").drawImage(canvas, place * width, 0);
  });
  bitmap.close();
  return sheet.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

/** All drawings, as [name, Blob]; one after the other, so that one image is decoded at a time. */
async function drawings(shown, look, several) {
  const files = [];
  for (const image of shown) {
    if (image.drawable) files.push([`${flat(stem(image.name))}_found.jpg`, await drawn(image, look, several)]);
  }
  const taken = new Set();
  return files.map(([name, blob]) => [apart(name, taken), blob]);
}

/** Saves as "image" (the one on the page), "drawings", "json", "csv", "coco", "yolo" or "voc" (of all). */
export async function save(kind, images, look, onlyCorrected) {
  if (kind === "image") {
    const { current } = images;
    download(await drawn(current, look, images.several), `${flat(stem(current.name))}_found.jpg`);
    return;
  }
  await images.finished();
  const [shown, { labels, several }] = [shownOf(images, onlyCorrected), images];
  const as = (text, type = "application/json") => new Blob([text], { type });
  if (kind === "json") download(as(asJson(shown)), "boxless.json");
  if (kind === "csv") download(as(asCsv(shown), "text/csv"), "boxless.csv");
  if (kind === "coco") download(as(asCoco(shown, labels)), "boxless-coco.json");
  if (kind === "yolo") download(await zip(asYolo(shown, labels)), "boxless-yolo.zip");
  if (kind === "voc") download(await zip(asVoc(shown)), "boxless-voc.zip");
  if (kind === "drawings") download(await zip(await drawings(shown, look, several)), "boxless-drawings.zip");
}
