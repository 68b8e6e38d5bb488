// From a map to boxes: the same as boxless/maps/boxes.py.

import { largest } from "./maps.js";

const SPECK = 0.05; // a piece with a smaller share of the largest piece's evidence is no object

/** The connected pieces, by sides or corners, of the cells that reach a level: their boxes and sums. */
function pieces({ rows, columns, values }, level) {
  const label = new Int32Array(rows * columns);
  const found = [];
  const stack = [];
  for (let start = 0; start < values.length; start++) {
    if (label[start] || values[start] < level) continue;
    const piece = { left: columns, top: rows, right: 0, bottom: 0, evidence: 0 };
    found.push(piece);
    label[start] = found.length;
    stack.push(start);
    while (stack.length) {
      const at = stack.pop();
      const x = at % columns;
      const y = (at - x) / columns;
      piece.left = Math.min(piece.left, x);
      piece.right = Math.max(piece.right, x + 1);
      piece.top = Math.min(piece.top, y);
      piece.bottom = Math.max(piece.bottom, y + 1);
      piece.evidence += values[at];
      for (let v = Math.max(0, y - 1); v <= Math.min(rows - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(columns - 1, x + 1); u++) {
          const next = v * columns + u;
          if (label[next] || values[next] < level) continue;
          label[next] = found.length;
          stack.push(next);
        }
      }
    }
  }
  return found;
}

/** Boxes [{ box, score }] around what reaches `threshold` of a map's peak, in pixels, the best first. */
export function boxesInMap(map, threshold, height, width, probability) {
  const peak = largest(map.values);
  if (!(peak > 0)) return [];
  const found = pieces(map, Math.fround(threshold * peak));
  const most = Math.max(...found.map((piece) => piece.evidence));
  const [across, down] = [width / map.columns, height / map.rows];
  return found
    .map((piece) => ({ ...piece, share: piece.evidence / most }))
    .filter(({ share }) => share >= SPECK)
    .sort((one, other) => other.share - one.share)
    .map(({ left, top, right, bottom, share }) => ({
      box: [left * across, top * down, right * across, bottom * down],
      score: probability * share,
    }));
}

/** Intersection over union of two boxes. */
function iou([x0, y0, x1, y1], [u0, v0, u1, v1]) {
  const shared = Math.max(0, Math.min(x1, u1) - Math.max(x0, u0)) * Math.max(0, Math.min(y1, v1) - Math.max(y0, v0));
  return shared / ((x1 - x0) * (y1 - y0) + (u1 - u0) * (v1 - v0) - shared);
}

/** Of overlapping boxes of different classes the best stays: lists of boxes, one a class, in and out. */
export function suppressOverlaps(candidates, most) {
  const ranked = candidates.flatMap((boxes, of) => boxes.map((each) => ({ each, of }))).sort((one, other) => other.each.score - one.each.score);
  const kept = [];
  for (const { each, of } of ranked) {
    if (kept.every((other) => other.of === of || iou(each.box, other.each.box) <= most)) kept.push({ each, of });
  }
  return candidates.map((_, k) => kept.filter(({ of }) => of === k).map(({ each }) => each));
}
