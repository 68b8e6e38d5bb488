// Pixels at another size, as boxless/imaging/resize.py does it: means of squares where it shrinks much, then a box filter
// of odd width, then linear interpolation.

import { rounded } from "./rounding.js";

/** The pixel that stands for one beyond the border: mirrored about the outermost one. */
export function mirrored(at, size) {
  if (size === 1) return 0;
  const period = 2 * size - 2;
  const inside = ((at % period) + period) % period;
  return inside < size ? inside : period - inside;
}

/** One axis: for each new position the two old ones it lies between, and the share of the second. */
function between(size, wanted) {
  const [firsts, seconds, shares] = [new Int32Array(wanted), new Int32Array(wanted), new Float32Array(wanted)];
  const scale = 1 / (wanted / size); // not always what size / wanted is
  for (let i = 0; i < wanted; i++) {
    const at = Math.fround((i + 0.5) * scale - 0.5);
    const below = Math.floor(at);
    firsts[i] = Math.min(Math.max(0, below), size - 1);
    seconds[i] = Math.min(Math.max(0, below + 1), size - 1);
    shares[i] = at - below;
  }
  return { firsts, seconds, shares };
}

/** Shares of both neighbours, in 2048ths. */
function inParts(shares) {
  return [shares.map((share) => rounded(Math.fround(1 - share) * 2048)), shares.map((share) => rounded(share * 2048))];
}

/** The positions that a box filter averages about one, mirrored at the border. */
function around(at, reach, size) {
  return Uint32Array.from({ length: 2 * reach + 1 }, (_, i) => mirrored(at - reach + i, size));
}

/** How far a box filter reaches to either side where `old` pixels become `wanted`. */
function reachOf(old, wanted) {
  return Math.floor(Math.max(1, Math.floor(old / wanted)) / 2);
}

/** By how much an image is reduced before it is resized: so that twice the size is left. */
function reductionOf(shrinks) {
  return [8, 4, 2].find((factor) => 2 * factor <= shrinks) ?? 1;
}

/** A whole number next to a fraction of whole numbers; of halves the even one, but of four the larger, as OpenCV does it. */
function meanOf(sum, count) {
  return count === 4 ? (sum + 2) >> 2 : rounded(sum / count);
}

/** RGBA pixels whose squares of `factor` x `factor` became one each; beyond the border the outermost pixels go on. */
function reduced({ data, width, height }, factor) {
  const [columns, rows] = [Math.ceil(width / factor), Math.ceil(height / factor)];
  const out = new Uint8ClampedArray(4 * columns * rows);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      let [red, green, blue] = [0, 0, 0];
      for (let i = 0; i < factor; i++) {
        const line = Math.min(y * factor + i, height - 1) * width;
        for (let j = 0; j < factor; j++) {
          const at = 4 * (line + Math.min(x * factor + j, width - 1));
          red += data[at];
          green += data[at + 1];
          blue += data[at + 2];
        }
      }
      const at = 4 * (y * columns + x);
      out[at] = meanOf(red, factor * factor);
      out[at + 1] = meanOf(green, factor * factor);
      out[at + 2] = meanOf(blue, factor * factor);
    }
  }
  return { data: out, width: columns, height: rows };
}

/** RGBA pixels (height x width) as RGB of another size; where it shrinks, every pixel counts. */
export function resizePixels(pixels, rows, columns) {
  const factor = reductionOf(Math.min(Math.floor(pixels.height / rows), Math.floor(pixels.width / columns)));
  return resized(factor > 1 ? reduced(pixels, factor) : pixels, rows, columns);
}

/** Without reducing. Only the positions that the interpolation reads are filtered. */
function resized({ data, width, height }, rows, columns) {
  const [reachX, reachY] = [reachOf(width, columns), reachOf(height, rows)];
  const [across, down] = [between(width, columns), between(height, rows)];
  // Beyond the border both neighbours are one pixel. OpenCV takes it whole across, but down in two parts, each cut off.
  const [lefts, rights] = inParts(across.shares.map((share, i) => (across.firsts[i] === across.seconds[i] ? 0 : share)));
  const [aboves, belows] = inParts(down.shares);
  const needed = [...new Set([...across.firsts, ...across.seconds])];
  const place = new Int32Array(width);
  needed.forEach((at, i) => (place[at] = 3 * i));
  const spans = needed.map((at) => around(at, reachX, width));
  const length = 3 * needed.length;

  const summed = (y) => {
    const sums = new Uint32Array(length);
    for (let i = 0; i < spans.length; i++) {
      const span = spans[i];
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let j = 0; j < span.length; j++) {
        const at = 4 * (y * width + span[j]);
        red += data[at];
        green += data[at + 1];
        blue += data[at + 2];
      }
      sums[3 * i] = red;
      sums[3 * i + 1] = green;
      sums[3 * i + 2] = blue;
    }
    return sums;
  };
  // Neighbours in the filtered image share most of the lines that they sum, so those are kept for a while.
  const kept = new Map();
  const cells = (2 * reachX + 1) * (2 * reachY + 1);
  const filtered = (y) => {
    const total = new Uint32Array(length);
    for (const line of around(y, reachY, height)) {
      if (!kept.has(line)) kept.set(line, summed(line));
      const sums = kept.get(line);
      for (let i = 0; i < length; i++) total[i] += sums[i];
    }
    for (let i = 0; i < length; i++) total[i] = Math.floor(total[i] / cells + 0.5); // an odd number has no halves
    return total;
  };

  const out = new Uint8Array(3 * rows * columns);
  let upper = { of: -1 };
  let lower = { of: -1 };
  for (let y = 0; y < rows; y++) {
    const [first, second, above, below] = [down.firsts[y], down.seconds[y], aboves[y], belows[y]];
    if (upper.of !== first) upper = lower.of === first ? lower : { of: first, line: filtered(first) };
    if (lower.of !== second) lower = upper.of === second ? upper : { of: second, line: filtered(second) };
    for (const line of kept.keys()) if (line < first - reachY && line > reachY) kept.delete(line);
    for (let x = 0; x < columns; x++) {
      const left = place[across.firsts[x]];
      const right = place[across.seconds[x]];
      for (let channel = 0; channel < 3; channel++) {
        const top = upper.line[left + channel] * lefts[x] + upper.line[right + channel] * rights[x];
        const bottom = lower.line[left + channel] * lefts[x] + lower.line[right + channel] * rights[x];
        // OpenCV's own order of cutting bits off: the network tells a tenth of a grey level.
        const sum = ((above * (top >> 4)) >> 16) + ((below * (bottom >> 4)) >> 16);
        out[3 * (y * columns + x) + channel] = (sum + 2) >> 2;
      }
    }
  }
  return out;
}
