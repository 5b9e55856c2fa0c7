/** Where a stream begins: no entry has this id, all have higher ones. */
export const BEFORE_ALL = "0-0";

/** Whether the text is a complete entry id, `<ms>-<sequence>`, as Redis writes it. */
export function isEntryId(text: string): boolean {
  return /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})$/.test(text);
}

/** Negative when `a` comes before `b`, as for sorting. Both parts are 64 bits wide: numbers would round them. */
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

/** When the entry was added, ms since the epoch by Redis' clock, unless its id was chosen by whoever added it. */
export function millisecondsOf(id: string): number {
  return Number.parseInt(id, 10);
}
