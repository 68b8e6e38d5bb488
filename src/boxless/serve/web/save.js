// Downloads of what is shown.

import { drawFinding, drawTitle } from "./drawing.js";
import { percent } from "./elements.js";
import { asCoco, asJson, asYolo, stem } from "./exports.js";
import { zip } from "./zip.js";

const MOST_PIXELS = 12_000_000;

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** What each picture shows; those that failed are left out. */
function shownOf(pictures) {
  return pictures.list
    .filter((picture) => picture.found)
    .map((picture) => ({ name: picture.name, found: picture.found, predictions: picture.predictions }));
}

/** A picture in its own size, as JPEG; two classes stand side by side. */
async function drawn({ drawable, found, predictions }, look) {
  const image = await createImageBitmap(drawable); // the page's own is closed once another picture is selected
  const count = Math.max(1, predictions.length);
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (count * image.width * image.height)));
  const [width, height] = [image.width, image.height].map((side) => Math.max(1, Math.round(side * scale)));
  const sheet = new OffscreenCanvas(count * width, height);
  (predictions.length ? predictions : [null]).forEach((prediction, rank) => {
    const canvas = new OffscreenCanvas(width, height);
    drawFinding(canvas, image, found, prediction, { ...look, rank });
    if (prediction) {
      const title = `${prediction.label} ${percent(prediction.probability)}${prediction.detected ? "" : ", not located"}`;
      drawTitle(canvas, found, prediction, title, rank);
    }
    sheet.getContext("2d").drawImage(canvas, rank * width, 0);
  });
  image.close();
  return sheet.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

/** Saves as "picture", "json", "yolo" or "coco". */
export async function save(kind, pictures, look, labels) {
  if (kind === "picture") {
    const { current } = pictures;
    download(await drawn(current, look), `${stem(current.name)}_found.jpg`);
    return;
  }
  await pictures.finished();
  const shown = shownOf(pictures);
  const as = (text) => new Blob([text], { type: "application/json" });
  if (kind === "json") download(as(asJson(shown)), "boxless.json");
  if (kind === "coco") download(as(asCoco(shown)), "boxless-coco.json");
  if (kind === "yolo") download(zip(asYolo(shown, labels)), "boxless-yolo.zip");
}
