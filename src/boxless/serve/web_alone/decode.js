// Files -> pixels, in sRGB as Python has them.

import { conversion } from "./colour.js";
import { embeddedProfile } from "./profile.js";

const LARGEST = 16_000_000; // pixels that are located in; larger images are made smaller first

/** A PNG of one red pixel, which a browser that applies its profile makes green. */
const PROBE =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAAtmlDQ1B4AAB42mNgYNzCAARMDgwMuXklRUHuTgoRkVEK7E8YGIEQDBKTiwsY8IJv1yBqL+sy" +
  "kA44U1KLk4H0ByCOSS4oKmFgYPQBsnnKSwpA7AggW6QI6CggOwfEToewG0DsJAh7ClhNSJAzkL0CpDcdiZ2ExIbaBfZyBQN1QUlqRQmIBpkLCkP0sEGIJU1j" +
  "YNjezsAgcQchlr+EgcHiGwMDcz9CTGURAwN/MwPDtkPJpUVlMHsAQn00Dsf4HRoAAAAMSURBVHjaY/jPwAAAAwEBAPcDQUMAAAAASUVORK5CYII=";

/** An image's pixels, RGBA on white; of a size, where one is given. */
function drawn(image, width = image.width, height = image.height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, width, height);
  image.close();
  return context.getImageData(0, 0, width, height);
}

/** Whether this browser decodes without its own conversion of colours when asked to; some do not. */
async function tryToKeep() {
  try {
    const bytes = Uint8Array.from(atob(PROBE), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }), { colorSpaceConversion: "none" });
    const [red, green, blue] = drawn(image).data;
    return red === 255 && green === 0 && blue === 0;
  } catch {
    return false;
  }
}
let keeps;

/** The conversion of a file's colours, see colour.js; null where it is the browser's. */
async function conversionOf(file) {
  const found = await embeddedProfile(await file.arrayBuffer());
  const convert = found && conversion(found.profile, found.kind);
  return convert && (await (keeps ??= tryToKeep())) ? convert : null;
}

/** A file's pixels, RGBA with transparent parts white, and the size of the image as displayed. */
export async function decoded(file) {
  let image;
  let convert;
  try {
    convert = await conversionOf(file);
    image = await createImageBitmap(file, { colorSpaceConversion: convert ? "none" : "default", premultiplyAlpha: "none" });
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
  const pixels = drawn(image, Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  convert?.(pixels.data); // transparent parts are white already, as in Python
  return [pixels, { height, width }];
}
