// What a colour profile (ICC) holds, and its curves as LittleCMS evaluates them. Damaged ones throw a RangeError.

/** 0 to 1 as a word of 16 bits; below a whole number by less than half a 65536th counts as that number. */
export function word(value) {
  return Math.min(65535, Math.max(0, Math.floor(Math.round(65536 * (65535 * value + 0.5)) / 65536)));
}

/** A table of words at a word, on the line between its two nearest entries. */
export function interpolated(table, at) {
  const last = table.length - 1;
  if (at === 65535) return table[last];
  const position = last * at + Math.floor((last * at + 0x7fff) / 0xffff); // in 65536ths
  const below = Math.floor(position / 65536);
  const step = (table[below + 1] - table[below]) * (position % 65536);
  return (table[below] + ((step + 0x8000) >> 16)) & 0xffff;
}

/** A curve of type "curv": a table, or a power. */
function sampled(tag) {
  const count = tag.getUint32(8);
  if (count > 0x7fff) throw new RangeError("a curve of too many entries");
  if (count > 1) {
    const table = Uint16Array.from({ length: count }, (_, i) => tag.getUint16(12 + 2 * i));
    return (x) => interpolated(table, word(x)) / 65535;
  }
  const gamma = count ? tag.getUint16(12) / 256 : 1;
  return (x) => x ** gamma;
}

/** A curve of type "para": a power with a line or a constant below it. */
function parametric(tag) {
  const kind = tag.getUint16(8);
  if (kind > 4) throw new RangeError("a curve of an unknown kind");
  const values = Array.from({ length: [1, 3, 4, 5, 7][kind] }, (_, i) => tag.getInt32(12 + 4 * i) / 65536);
  const [g, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = values;
  const power = (x) => (a * x + b > 0 ? (a * x + b) ** g : 0);
  return [
    (x) => x ** g,
    (x) => (a && x >= -b / a ? power(x) : 0),
    (x) => (!a ? 0 : x < Math.max(0, -b / a) ? c : a * x + b > 0 ? power(x) + c : 0),
    (x) => (x >= d ? power(x) : c * x),
    (x) => (x >= d ? power(x) + e : c * x + f),
  ][kind];
}

const letters = (view, at) => String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));

/** A profile's bytes as its header's fields and functions that read its tags. */
export function opened(profile) {
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
  if (letters(view, 36) !== "acsp") throw new RangeError("no profile");
  const size = Math.min(view.getUint32(0), view.byteLength);
  const tags = new Map();
  const count = view.getUint32(128);
  if (count > 100) throw new RangeError("too many tags");
  for (let at = 132; at < 132 + 12 * count; at += 12) {
    const [from, length] = [view.getUint32(at + 4), view.getUint32(at + 8)];
    if (from + length <= size) tags.set(letters(view, at), new DataView(view.buffer, view.byteOffset + from, length));
  }
  const tag = (name) => {
    if (!tags.has(name)) throw new RangeError(`no ${name}`);
    return tags.get(name);
  };
  return {
    kind: letters(view, 16).trim(), // of colours
    device: letters(view, 12),
    connection: letters(view, 20).trim(), // XYZ or Lab
    has: (name) => tags.has(name),

    /** A curve, from 0 to 1 in single precision. */
    curve(name) {
      const found = tag(name);
      const evaluated = { curv: sampled, para: parametric }[letters(found, 0)]?.(found);
      if (!evaluated) throw new RangeError(`${name} is no curve`);
      return (x) => Math.fround(evaluated(Math.fround(x)));
    },

    /** A colour in XYZ. */
    colour(name) {
      const found = tag(name);
      if (letters(found, 0) !== "XYZ ") throw new RangeError(`${name} is no colour`);
      return [8, 12, 16].map((at) => found.getInt32(at) / 65536);
    },
  };
}
