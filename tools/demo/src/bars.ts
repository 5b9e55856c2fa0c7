const FULL = "█";
const PARTS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar of up to `width` characters, to an eighth of a character; never nothing for more than nothing. */
export function bar(value: number, most: number, width: number): string {
  const eighths = most > 0 ? Math.round((value / most) * width * 8) : 0;
  const drawn = value > 0 ? Math.max(eighths, 1) : 0;
  return FULL.repeat(Math.floor(drawn / 8)) + (PARTS[drawn % 8] ?? "");
}

/** A number as people read it. */
export function readable(value: number): string {
  return value.toLocaleString("en-US");
}
