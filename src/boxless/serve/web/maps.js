// Maps of classes: their size, their scale. The same as boxless/refine.py and boxless/class_maps.py.
//
// A map is { rows, columns, values }: a Float32Array, row by row.

/** The weights that resize one axis about cell centres, as [first, second, share of the second] for each new cell. */
function linear(size, wanted) {
  return Array.from({ length: wanted }, (_, i) => {
    const at = Math.max(0, ((i + 0.5) * size) / wanted - 0.5);
    const first = Math.min(size - 1, Math.floor(at));
    const second = Math.min(size - 1, first + 1);
    return [first, second, first === second ? 0 : at - first];
  });
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
  const values = new Float32Array(rows * columns);
  const across = linear(map.columns, columns);
  linear(map.rows, rows).forEach(([above, below, down], y) => {
    const [one, other] = [above * map.columns, below * map.columns];
    for (let x = 0; x < columns; x++) {
      const [left, right, share] = across[x];
      const top = map.values[one + left] * (1 - share) + map.values[one + right] * share;
      const bottom = map.values[other + left] * (1 - share) + map.values[other + right] * share;
      values[y * columns + x] = top * (1 - down) + bottom * down;
    }
  });
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
  for (const value of values) if (value > peak) peak = value;
  return peak;
}

/** A class map on a picture's pixels, in [0, 1]; zero everywhere without a positive value: it is never stretched. */
export function scoreMap(classMap, height, width) {
  const { values } = resizeMap(classMap, height, width);
  const peak = largest(values);
  return Float32Array.from(values, (value) => (peak > 0 ? Math.max(0, value) / peak : 0));
}
