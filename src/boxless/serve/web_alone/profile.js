// Finds the colour profile (ICC) that a file embeds, and the kind of colours to which it has to fit, as Pillow has them.

const letters = (bytes, from, count) => String.fromCharCode(...bytes.subarray(from, from + count));

/** JPEG: a profile may be split over segments, which all come before that of the frame. */
function inJpeg(bytes, view) {
  const parts = [];
  for (let at = 2; bytes[at] === 0xff; ) {
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at += 1; // filling
      continue;
    }
    const [length, from] = [view.getUint16(at + 2), at + 4];
    if (marker === 0xe2 && letters(bytes, from, 12) === "ICC_PROFILE\0") parts.push(bytes.subarray(from, at + 2 + length));
    // A frame's marker: not one of tables (C4, CC) or of an extension (C8)
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const kind = { 1: "GRAY", 3: "RGB" }[bytes[from + 5]] ?? "CMYK";
      parts.sort((one, other) => one[12] - other[12]);
      const whole = parts.length > 0 && parts[0][13] === parts.length;
      return { kind, parts: whole ? parts.map((part) => part.subarray(14)) : [] };
    }
    at += 2 + length;
  }
  return null;
}

/** PNG: a grey image is made RGB, and its profile does not fit any more, where parts are transparent or it has one bit. */
function inPng(bytes, view) {
  let [packed, transparent] = [null, false];
  for (let at = 8; at + 8 <= bytes.length; at += 12 + view.getUint32(at)) {
    const [name, from] = [letters(bytes, at + 4, 4), at + 8];
    if (name === "IDAT") break;
    if (name === "tRNS") transparent = true;
    if (name === "iCCP") packed = bytes.subarray(bytes.indexOf(0, from) + 2, from + view.getUint32(at));
  }
  const [bits, colours] = bytes.subarray(24, 26);
  return { kind: colours === 0 && bits > 1 && !transparent ? "GRAY" : "RGB", parts: [], packed };
}

/** WebP: chunks of even length. */
function inWebp(bytes, view) {
  const parts = [];
  for (let at = 12; at + 8 <= bytes.length && !parts.length; ) {
    const length = view.getUint32(at + 4, true);
    if (letters(bytes, at, 4) === "ICCP") parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length + (length % 2);
  }
  return { kind: "RGB", parts };
}

/** AVIF: a property of the image, in boxes of which each has its length and name before it. */
function inAvif(bytes, view) {
  let [at, end] = [0, bytes.length];
  while (at + 8 <= end) {
    const [length, name] = [view.getUint32(at), letters(bytes, at + 4, 4)];
    if (name === "colr" && ["prof", "rICC"].includes(letters(bytes, at + 8, 4))) {
      return { kind: "RGB", parts: [bytes.subarray(at + 12, at + length)] };
    }
    if (["meta", "iprp", "ipco"].includes(name)) {
      end = Math.min(end, at + length);
      at += name === "meta" ? 12 : 8; // into it
    } else if (length >= 8) at += length;
    else break; // the last box, or one of more than 4 GB
  }
  return { kind: "RGB", parts: [] };
}

/** What a zlib stream holds, as far as it is whole. */
async function inflated(packed) {
  const parts = [];
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  try {
    for (let part; !(part = await reader.read()).done; ) parts.push(part.value);
  } catch {
    // damaged, or with more behind it
  }
  return parts;
}

/**
 * The embedded profile of a file, an ArrayBuffer: its bytes, none without one, and the kind of the image's colours, RGB,
 * GRAY or CMYK. Null for files other than JPEG, PNG, WebP and AVIF, and for damaged ones.
 */
export async function embeddedProfile(file) {
  const bytes = new Uint8Array(file);
  const view = new DataView(file);
  let found = null;
  try {
    if (letters(bytes, 0, 3) === "\xff\xd8\xff") found = inJpeg(bytes, view);
    else if (letters(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") found = inPng(bytes, view);
    else if (letters(bytes, 0, 4) === "RIFF" && letters(bytes, 8, 4) === "WEBP") found = inWebp(bytes, view);
    else if (["ftypavif", "ftypavis"].includes(letters(bytes, 4, 8))) found = inAvif(bytes, view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // cut off
  }
  if (!found) return null;
  const parts = found.packed ? await inflated(found.packed) : found.parts;
  return { kind: found.kind, profile: new Uint8Array(await new Blob(parts).arrayBuffer()) };
}
