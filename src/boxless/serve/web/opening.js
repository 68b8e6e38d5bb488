// Files of images, before anything is known of what is in them.

import { MOST as SHOWN } from "./stage.js";

/** An image made smaller, at once, where its longer side is much longer than `least` and the page need: 48 MB of a phone's become 8. */
export function reduced(image, least) {
  const { width, height } = image;
  const scale = Math.max(SHOWN, least) / Math.max(width, height);
  if (scale > 0.8) return image;
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  return canvas.transferToImageBitmap();
}

/** Whether a file has a first byte that can be read; sending one that has not looks as if the service were gone. */
export async function isThere(file) {
  const first = await file.slice(0, 1).arrayBuffer().catch(() => null);
  return first?.byteLength > 0;
}

export function unreadable({ name }) {
  const error = new Error(`${name} is empty, a folder, or was moved or changed after it was added (add it again)`);
  return Object.assign(error, { title: "This file could not be read", again: true });
}
