// Images made smaller before they are sent: the networks see no more of them anyway.

const SPARE = 2; // how many times the side that the largest scale has is left at least, as boxless/imaging/resize.py leaves it
const WORTH = 300_000; // bytes: smaller files are sent as they are
const QUALITY = 0.92; // of JPEG

/** Whether a file's samples have 8 bits; what is brighter is made so by the service, by other rules than a browser's. */
async function eightBits(file) {
  if (/jpeg|webp/.test(file.type)) return true;
  if (file.type !== "image/png") return false;
  return new Uint8Array(await file.slice(24, 25).arrayBuffer())[0] <= 8;
}

/** How long an image's longer side has to be, so that the largest scale, of this side, sees all that it can. */
export function enough({ width, height }, side) {
  return Math.ceil((SPARE * side * Math.max(width, height)) / Math.sqrt(width * height));
}

/**
 * What is sent of an image: { file, width, height }, width and height those of the original where it was made smaller.
 *
 * file: the original, of width and height. image: what it looks like, perhaps smaller; it may be closed once this has
 * returned its promise.
 */
export async function shrink(file, image, { width, height }) {
  if (file.size < WORTH || image.width === width) return { file };
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0);
  if (!(await eightBits(file))) return { file };
  const small = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  return small.size < file.size ? { file: new File([small], file.name, { type: small.type }), width, height } : { file };
}

/** A result of a smaller image, in pixels of the original. */
export function enlarged(found, { width, height }) {
  if (!width || (found.width === width && found.height === height)) return found;
  const [across, down] = [width / found.width, height / found.height];
  const large = (box) => box && box.map((edge, i) => Math.round(edge * (i % 2 ? down : across) * 100) / 100);
  const predictions = found.predictions.map((prediction) => ({
    ...prediction,
    box: large(prediction.box),
    boxes: prediction.boxes.map((each) => ({ ...each, box: large(each.box) })),
  }));
  return { ...found, width, height, predictions };
}
