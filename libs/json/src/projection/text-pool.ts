/** A power of two. */
const SLOTS = 1_024;
/** In UTF-16 units. Longer texts seldom repeat, and would hold much memory. */
const LONGEST_KEPT = 256;

/**
 * Copies the values of one field, so that they do not hold the message they were cut from.
 *
 * A text cut out of a message keeps the whole message in memory for as long as it lives, and a key lives as long as its
 * window. A repeated value returns the same text, so that maps need not compute its hash again.
 */
export class TextPool {
  readonly #slots: string[] = Array.from({ length: SLOTS }, () => "");

  /** The same text, with memory of its own. */
  own(cut: string): string {
    const slot = slotOf(cut);
    const known = this.#slots[slot];
    // Faster than ===, which has a slow path for a text that is cut out of another.
    if (known?.length === cut.length && cut.endsWith(known)) return known;
    // V8 writes a joined text out before it slices it, so the slice holds only that copy.
    const own = ` ${cut}`.slice(1);
    if (own.length <= LONGEST_KEPT) this.#slots[slot] = own;
    return own;
  }
}

/** Spreads common names well enough; a full hash would cost more than it saves. */
function slotOf(text: string): number {
  const { length } = text;
  const last = text.charCodeAt(length - 1);
  const spread =
    length * 31 + last * 7 + text.charCodeAt(length >> 1) * 131 + text.charCodeAt(length >> 2) * 17;
  // Also turns the NaN of an empty text into a slot.
  return spread & (SLOTS - 1);
}
