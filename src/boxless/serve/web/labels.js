// Where the labels of many boxes go, so that each can be read. The same as boxless/imaging/label_layout.py, but that
// every label is shown.

const INSIDE = 0.3; // what it costs to cover all of a label's size of its own box; of another's box it costs 1
const HIDDEN = 0.02; // the share of a label that may lie under others

/** The area that two rectangles [x0, y0, x1, y1] have in common. */
function shared(one, other) {
  const across = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const down = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  return Math.max(0, across) * Math.max(0, down);
}

/** Places for a label at a box, in the image, the usual ones first. */
function around([x0, y0, x1, y1], [width, height], room) {
  const within = (at, size, most) => Math.max(0, Math.min(at, most - size));
  const rows = [y0 - height, y0, y1, y1 - height].flatMap((y) => [x0, x1 - width, (x0 + x1 - width) / 2].map((x) => [x, y]));
  const columns = [y0, y1 - height, (y0 + y1 - height) / 2].flatMap((y) => [x1, x0 - width].map((x) => [x, y]));
  return [...rows, ...columns].map(([x, y]) => {
    const [left, top] = [within(x, width, room[0]), within(y, height, room[1])];
    return [left, top, left + width, top + height];
  });
}

/** The upper left corner of each box's label. boxes: [x0, y0, x1, y1] each; sizes: [width, height] of each one's label. */
export function labelPlaces(boxes, sizes, room) {
  const taken = [];
  return boxes.map((box, i) => {
    const area = sizes[i][0] * sizes[i][1];
    let [best, least] = [null, Infinity];
    for (const place of around(box, sizes[i], room)) {
      const hidden = taken.reduce((sum, each) => sum + shared(place, each), 0) / area;
      const others = boxes.reduce((most, each, j) => (j === i ? most : Math.max(most, shared(place, each))), 0) / area;
      const cost = others + (INSIDE * shared(place, box)) / area + (hidden <= HIDDEN ? 0 : 10 * (1 + hidden));
      if (cost < least) [best, least] = [place, cost];
    }
    taken.push(best);
    return best.slice(0, 2);
  });
}
