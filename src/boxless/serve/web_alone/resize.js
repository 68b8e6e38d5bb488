// Pixels at another size, as boxless/image.py does it: a box filter of odd width, then linear interpolation.

import { rounded } from "./rounding.js";

/** The pixel that stands for one beyond the border: mirrored about the outermost one. */
function mirrored(at, size) {
  if (size === 1) return 0;
  const period = 2 * size - 2;
  const inside = ((at % period) + period) % period;
  return inside < size ? inside : period - inside;
}

/** One axis: for each new position the two old ones it lies between, and the shares of both, in 2048ths. */
function between(size, wanted) {
  return Array.from({ length: wanted }, (_, i) => {
    const at = Math.fround((i + 0.5) * (size / wanted) - 0.5);
    const first = Math.floor(at);
    if (first < 0) return [0, 0, 2048, 0];
    if (first >= size - 1) return [size - 1, size - 1, 2048, 0];
    const share = Math.fround(at - first);
    return [first, first + 1, rounded(Math.fround(1 - share) * 2048), rounded(share * 2048)];
  });
}

/** What the box filter sums for a position: [from, to) in mirrored coordinates. */
function windows(positions, reach, size) {
  return positions.map((at) => Array.from({ length: 2 * reach + 1 }, (_, i) => mirrored(at - reach + i, size)));
}

/**
 * RGBA pixels (height x width) as RGB of another size; where it shrinks, every pixel counts.
 *
 * Only the positions that the interpolation reads are filtered.
 */
export function resizePixels({ data, width, height }, rows, columns) {
  const reachOf = (old, wanted) => Math.floor(Math.max(1, Math.floor(Math.floor(old / wanted) / 2) * 2 + 1) / 2);
  const [reachX, reachY] = [reachOf(width, columns), reachOf(height, rows)];
  const [across, down] = [between(width, columns), between(height, rows)];
  const needed = [...new Set(across.flatMap(([first, second]) => [first, second]))];
  const place = new Map(needed.map((at, i) => [at, 3 * i]));
  const spans = windows(needed, reachX, width).map((span) => Uint32Array.from(span, (at) => 4 * at));
  const length = 3 * needed.length;

  const summed = (y) => {
    const sums = new Uint32Array(length);
    const line = 4 * y * width;
    spans.forEach((span, i) => {
      let [red, green, blue] = [0, 0, 0];
      for (let j = 0; j < span.length; j++) {
        const at = line + span[j];
        red += data[at];
        green += data[at + 1];
        blue += data[at + 2];
      }
      sums[3 * i] = red;
      sums[3 * i + 1] = green;
      sums[3 * i + 2] = blue;
    });
    return sums;
  };
  // A line of the filtered picture; neighbours share most of what they sum, so sums of lines are kept for a while.
  const kept = new Map();
  const scale = 1 / ((2 * reachX + 1) * (2 * reachY + 1));
  const filtered = (y) => {
    const total = new Uint32Array(length);
    for (const line of windows([y], reachY, height)[0]) {
      if (!kept.has(line)) kept.set(line, summed(line));
      const sums = kept.get(line);
      for (let i = 0; i < length; i++) total[i] += sums[i];
    }
    return Uint8Array.from(total, (sum) => rounded(sum * scale));
  };

  const out = new Uint8Array(3 * rows * columns);
  let [firstLine, secondLine, of] = [null, null, [-1, -1]];
  down.forEach(([first, second, above, below], y) => {
    if (of[0] !== first) firstLine = of[1] === first ? secondLine : filtered(first);
    if (of[1] !== second) secondLine = first === second ? firstLine : filtered(second);
    of = [first, second];
    for (const line of kept.keys()) if (line < first - reachY && line > reachY) kept.delete(line);
    for (let x = 0; x < columns; x++) {
      const [left, right, before, after] = across[x];
      const [one, other] = [place.get(left), place.get(right)];
      for (let channel = 0; channel < 3; channel++) {
        const top = firstLine[one + channel] * before + firstLine[other + channel] * after;
        const bottom = secondLine[one + channel] * before + secondLine[other + channel] * after;
        // OpenCV's own order of cutting bits off: the network tells a tenth of a grey level.
        const sum = ((above * (top >> 4)) >> 16) + ((below * (bottom >> 4)) >> 16);
        out[3 * (y * columns + x) + channel] = (sum + 2) >> 2;
      }
    }
  });
  return out;
}
