// Images continued beyond their borders, and maps without what they say of that margin; see boxless/imaging/margin.py.

import { mirrored } from "./resize.js";

/** RGB pixels (height x width) continued on every side, mirrored about the outermost ones. */
export function withMargin(pixels, height, width, margin) {
  if (!margin) return pixels;
  const [rows, columns] = [height + 2 * margin, width + 2 * margin];
  const across = Uint32Array.from({ length: columns }, (_, x) => mirrored(x - margin, width));
  const out = new Uint8Array(3 * rows * columns);
  for (let y = 0; y < rows; y++) {
    const line = mirrored(y - margin, height) * width;
    for (let x = 0; x < columns; x++) {
      const from = 3 * (line + across[x]);
      out.set(pixels.subarray(from, from + 3), 3 * (y * columns + x));
    }
  }
  return out;
}

/** The part of maps { shape: [n, u, v], values } that is of the image itself; size is [height, width] with the margin. */
export function withoutMargin({ shape: [count, rows, columns], values }, margin, [height, width]) {
  const [above, beside] = [Math.floor((margin * rows) / height), Math.floor((margin * columns) / width)];
  const [inner, across] = [rows - 2 * above, columns - 2 * beside];
  const out = new Float32Array(count * inner * across);
  for (let k = 0; k < count; k++) {
    for (let y = 0; y < inner; y++) {
      const from = (k * rows + y + above) * columns + beside;
      out.set(values.subarray(from, from + across), (k * inner + y) * across);
    }
  }
  return { shape: [count, inner, across], values: out };
}
