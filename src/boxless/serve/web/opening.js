// Files of images, before anything is known of what is in them.

const SHOWN = 1200; // pixels that the page shows of a longer side, at least

/**
 * An image made smaller, at once, by halves: as often as `least` pixels of its longer side are left, and what the page
 * shows. Each pixel is the mean of a square, as in boxless/imaging/resize.py: other factors move boxes more.
 */
export function reduced(image, least) {
  let smaller = image;
  while (Math.max(smaller.width, smaller.height) >= 2 * Math.max(SHOWN, least)) {
    const canvas = new OffscreenCanvas(Math.ceil(smaller.width / 2), Math.ceil(smaller.height / 2));
    canvas.getContext("2d").drawImage(smaller, 0, 0, canvas.width, canvas.height); // bilinear: four pixels count alike
    smaller.close();
    smaller = canvas.transferToImageBitmap();
  }
  return smaller;
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
