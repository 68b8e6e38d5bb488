// Maps of classes: their size, their scale. The same as boxless/maps/refine.py and boxless/maps/class_maps.py.
//
// A map is { rows, columns, values }: a Float32Array, row by row.

/** How one axis is resized about cell centres: for each new cell the two old ones, and the share of the second. */
function linear(size, wanted) {
  const [firsts, seconds, shares] = [new Int32Array(wanted), new Int32Array(wanted), new Float64Array(wanted)];
  for (let i = 0; i < wanted; i++) {
    const at = Math.max(0, ((i + 0.5) * size) / wanted - 0.5);
    firsts[i] = Math.min(size - 1, Math.floor(at));
    seconds[i] = Math.min(size - 1, firsts[i] + 1);
    shares[i] = firsts[i] === seconds[i] ? 0 : at - firsts[i];
  }
  return { firsts, seconds, shares };
}

/** The weights that average one axis where it shrinks, as lists of [cell, share] for each new cell. */
function area(size, wanted) {
  const scale = size / wanted;
  return Array.from({ length: wanted }, (_, i) => {
    const [from, to] = [i * scale, (i + 1) * scale];
    const parts = [];
    for (let cell = Math.floor(from); cell < Math.min(size, Math.ceil(to - 1e-9)); cell++) {
      parts.push([cell, (Math.min(to, cell + 1) - Math.max(from, cell)) / scale]);
    }
    return parts;
  });
}

/** A map at another size: bilinear about cell centres; averaged where both sides shrink. */
export function resizeMap(map, rows, columns) {
  if (map.rows === rows && map.columns === columns) return map;
  const shrinks = rows < map.rows && columns < map.columns;
  return { rows, columns, values: shrinks ? averaged(map, rows, columns) : interpolated(map, rows, columns) };
}

function interpolated(map, rows, columns) {
  const [values, old] = [new Float32Array(rows * columns), map.values];
  const [across, down] = [linear(map.columns, columns), linear(map.rows, rows)];
  for (let y = 0; y < rows; y++) {
    const [one, other, below] = [down.firsts[y] * map.columns, down.seconds[y] * map.columns, down.shares[y]];
    for (let x = 0; x < columns; x++) {
      const left = across.firsts[x];
      const right = across.seconds[x];
      const share = across.shares[x];
      const top = old[one + left] * (1 - share) + old[one + right] * share;
      const bottom = old[other + left] * (1 - share) + old[other + right] * share;
      values[y * columns + x] = top * (1 - below) + bottom * below;
    }
  }
  return values;
}

function averaged(map, rows, columns) {
  const values = new Float32Array(rows * columns);
  const across = area(map.columns, columns);
  area(map.rows, rows).forEach((above, y) => {
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      for (const [row, height] of above) {
        for (const [column, width] of across[x]) sum += map.values[row * map.columns + column] * height * width;
      }
      values[y * columns + x] = sum;
    }
  });
  return values;
}

/** The largest value of a list. */
export function largest(values) {
  let peak = -Infinity;
  for (let i = 0; i < values.length; i++) if (values[i] > peak) peak = values[i];
  return peak;
}

/** A class map on an image's pixels, in [0, 1]; zero everywhere without a positive value: it is never stretched. */
export function scoreMap(classMap, height, width) {
  const { values } = resizeMap(classMap, height, width);
  const peak = largest(values);
  const scores = new Float32Array(values.length);
  if (peak > 0) for (let i = 0; i < values.length; i++) scores[i] = Math.max(0, values[i]) / peak;
  return scores;
}
