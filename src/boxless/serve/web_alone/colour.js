// Colours of embedded profiles (ICC) -> sRGB, as boxless/imaging/colour.py; each step rounds as LittleCMS rounds it.

import { interpolated, opened, word } from "./icc.js";

const ALIKE = 2; // grey levels by which a profile may differ from sRGB and counts as sRGB
const BLACK = 0.00045; // black above which LittleCMS makes it black
const DEVICES = ["mntr", "scnr", "prtr", "spac", "cenc", "mid ", "mlnk", "mvis", "\0\0\0\0"]; // whose profiles are used
const WHITE = [0.9642, 1, 0.8249]; // D50

/** XYZ (D50) -> linear sRGB: the inverse of the colorants of ImageCms.createProfile("sRGB"). */
const FROM_XYZ = [
  [3.13418636423682, -1.617208958998275, -0.49069406400638405],
  [-0.9787485041906937, 1.9161300967735857, 0.03343339915999551],
  [0.07196392780224675, -0.22899387345320316, 1.4057537328964438],
];

const byte = (value) => Math.floor((value * 65281 + 8388608) / 2 ** 24); // of a word
const dot = (one, other) => one[0] * other[0] + one[1] * other[1] + one[2] * other[2];

/** Linear sRGB -> sRGB, in single precision. */
function encoded(x) {
  const [a, b] = [1 / 1.055, 0.055 / 1.055];
  return Math.fround(x >= (a * 0.04045 + b) ** 2.4 ? (x ** (1 / 2.4) - b) / a : x * 12.92);
}

/** A conversion of each channel by a table of words, with lines between its entries. */
function byTables(tables) {
  const [reds, greens, blues] = tables.map((words) =>
    Uint8Array.from({ length: 256 }, (_, i) => byte(interpolated(words, 257 * i))),
  );
  return (pixels) => {
    for (let at = 0; at < pixels.length; at += 4) {
      pixels[at] = reds[pixels[at]];
      pixels[at + 1] = greens[pixels[at + 1]];
      pixels[at + 2] = blues[pixels[at + 2]];
    }
  };
}

/** A profile with the primaries of sRGB: curves alone, joined in tables of 4096 entries. */
function byCurves(curves) {
  return byTables(curves.map((curve) => Uint16Array.from({ length: 4096 }, (_, i) => word(encoded(curve(i / 4095))))));
}

/** Curves, a matrix, and sRGB's curve, in 16384ths. */
function byMatrix(curves, matrix) {
  const whole = (value) => Math.floor(value * 16384 + 0.5);
  const [reds, greens, blues] = curves.map((curve) => Int32Array.from({ length: 256 }, (_, i) => whole(curve(i / 255))));
  const [[a, b, c], [d, e, f], [g, h, i]] = matrix.map((row) => row.map(whole));
  const bytes = Uint8Array.from({ length: 16385 }, (_, at) => byte(word(encoded(at / 16384))));
  const tone = (sum) => bytes[Math.min(16384, Math.max(0, (sum + 0x2000) >> 14))];
  return (pixels) => {
    for (let at = 0; at < pixels.length; at += 4) {
      const [red, green, blue] = [reds[pixels[at]], greens[pixels[at + 1]], blues[pixels[at + 2]]];
      pixels[at] = tone(a * red + b * green + c * blue);
      pixels[at + 1] = tone(d * red + e * green + f * blue);
      pixels[at + 2] = tone(g * red + h * green + i * blue);
    }
  };
}

/** Grey, in tables of 33 entries. */
function byGrey(luminance) {
  const shares = FROM_XYZ.map((row) => dot(row, WHITE));
  const levels = Array.from({ length: 33 }, (_, i) => luminance(Math.floor((i * 65535) / 32 + 0.5) / 65535));
  if (word(encoded(levels[32])) > 0xfff) levels[32] = 1; // white stays white, but where it is nearly black
  return byTables(shares.map((share) => Uint16Array.from(levels, (level) => word(encoded(Math.fround(level * share))))));
}

/** CIE L* of 0 to 1 -> luminance. */
function luminanceOf(lightness) {
  const t = (100 * lightness + 16) / 116;
  return t > 24 / 116 ? t ** 3 : (108 / 841) * (t - 16 / 116);
}

function asIs() {}

/** A grey profile's conversion; null as of `conversion`. */
function ofGrey(profile) {
  const curve = profile.curve("kTRC");
  const luminance = profile.connection === "Lab" ? (x) => luminanceOf(curve(x)) : curve;
  const black = luminance(0);
  const darkened = black > BLACK && black <= luminanceOf(0.5);
  return byGrey(darkened ? (x) => (luminance(x) - black) / (1 - black) : luminance);
}

/** An RGB profile's conversion; null as of `conversion`. */
function ofColours(profile) {
  const colorants = ["rXYZ", "gXYZ", "bXYZ"].map(profile.colour);
  const curves = ["rTRC", "gTRC", "bTRC"].map(profile.curve);
  if (profile.connection !== "XYZ" || curves.some((curve) => curve(0) > BLACK)) return null;
  const matrix = FROM_XYZ.map((row) => colorants.map((colorant) => dot(row, colorant)));
  const isIdentity = matrix.every((row, i) => row.every((value, j) => Math.abs(value - (i === j)) < 1 / 65535));
  return isIdentity ? byCurves(curves) : byMatrix(curves, matrix);
}

/** Whether a conversion changes nothing that can be seen, on swatches. */
function isSlight(convert, kind) {
  const steps = Array.from({ length: 18 }, (_, i) => 15 * i);
  const [some, more] = kind === "RGB" ? [steps, steps] : [[0], [0]]; // the first channel of grey stands for all
  const before = Uint8Array.from(steps.flatMap((red) => some.flatMap((green) => more.flatMap((blue) => [red, green, blue, 0]))));
  const after = before.slice();
  convert(after);
  return after.every((value, i) => Math.abs(value - before[i]) <= ALIKE);
}

/**
 * The function that converts RGBA pixels in place to sRGB. It does nothing where a profile is damaged, of other colours
 * than the image's (`kind`: RGB, GRAY or CMYK) or next to sRGB. Null for profiles that need more than curves and a matrix.
 */
export function conversion(bytes, kind) {
  if (kind === "CMYK") return null;
  if (!bytes.length) return asIs;
  try {
    const profile = opened(bytes);
    if (profile.kind !== kind || !DEVICES.includes(profile.device)) return asIs;
    if (profile.has("A2B0") || profile.has("D2B0")) return null;
    const convert = kind === "GRAY" ? ofGrey(profile) : ofColours(profile);
    return convert && isSlight(convert, kind) ? asIs : convert;
  } catch (error) {
    if (error instanceof RangeError) return asIs; // damaged
    throw error;
  }
}
