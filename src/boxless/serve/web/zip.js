// Several files in one, not compressed: the ZIP format (PKWARE's APPNOTE, 4.3), as much of it as that takes.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes) {
  let value = ~0;
  for (const byte of bytes) value = (value >>> 8) ^ TABLE[(value ^ byte) & 255];
  return ~value >>> 0;
}

/** Numbers as little-endian bytes: pairs of [how many bytes, number]. */
function packed(...numbers) {
  return Uint8Array.from(numbers.flatMap(([size, number]) => Array.from({ length: size }, (_, i) => (number / 256 ** i) & 255)));
}

/** A ZIP of texts and files: pairs of [name, text or Blob]. */
export async function zip(files) {
  const encoder = new TextEncoder();
  const [parts, directory] = [[], []];
  let offset = 0;
  for (const [name, given] of files) {
    const path = encoder.encode(name);
    const content = given instanceof Blob ? new Uint8Array(await given.arrayBuffer()) : encoder.encode(given);
    // Version 2.0, UTF-8 names, stored, on the first of January 1980.
    const about = packed([2, 20], [2, 0x0800], [2, 0], [2, 0], [2, 0x21], [4, crc32(content)], [4, content.length],
      [4, content.length], [2, path.length], [2, 0]); // prettier-ignore
    parts.push(packed([4, 0x04034b50]), about, path, given instanceof Blob ? given : content); // a file stays on its disk
    directory.push(packed([4, 0x02014b50], [2, 20]), about, packed([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), path);
    offset += 4 + about.length + path.length + content.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = packed([4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, offset], [2, 0]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}
