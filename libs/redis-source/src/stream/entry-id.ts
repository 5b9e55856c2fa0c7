/** The start of a stream: all entries have higher ids. */
export const BEFORE_ALL = "0-0";

/** Whether the text is a complete entry id, `<ms>-<sequence>`, as Redis writes it. */
export function isEntryId(text: string): boolean {
  return /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})$/.test(text);
}

/** Negative if `a` comes before `b`, as for sorting. Both parts have 64 bits, which numbers would round. */
export function compareIds(a: string, b: string): number {
  const [aMs = "", aSequence = ""] = a.split("-");
  const [bMs = "", bSequence = ""] = b.split("-");
  return compareDigits(aMs, bMs) || compareDigits(aSequence, bSequence);
}

// Without leading zeros the longer number is the greater one.
function compareDigits(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a === b ? 0 : a < b ? -1 : 1;
}

/**
 * When the entry was added, ms since the epoch by Redis' clock, unless the program that added it chose the id.
 *
 * @param id as Redis sends it; it is not turned into text, since this runs for every entry
 */
export function millisecondsOf(id: Uint8Array): number {
  let ms = 0;
  for (const byte of id) {
    if (byte === HYPHEN) break;
    ms = ms * 10 + byte - ZERO;
  }
  return ms;
}

const HYPHEN = 0x2d;
const ZERO = 0x30;
