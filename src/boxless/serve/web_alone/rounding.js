// Rounding as Python and OpenCV do it.

/** To the nearest whole number, halves to the even one. */
export function rounded(number) {
  const down = Math.floor(number);
  if (number - down !== 0.5) return Math.round(number);
  return down % 2 ? down + 1 : down;
}
