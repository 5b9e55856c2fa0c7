const FULL = "█";
const PARTS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** Returns a bar of up to `width` characters, in steps of an eighth of a character; not empty for a number above 0. */
export function bar(value: number, most: number, width: number): string {
  const eighths = most > 0 ? Math.round((value / most) * width * 8) : 0;
  const drawn = value > 0 ? Math.max(eighths, 1) : 0;
  return FULL.repeat(Math.floor(drawn / 8)) + (PARTS[drawn % 8] ?? "");
}

/** Formats a number with thousands separators. */
export function readable(value: number): string {
  return value.toLocaleString("en-US");
}
