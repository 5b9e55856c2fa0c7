/** A power of two. */
const SLOTS = 1_024;
/** Longer texts are no names that come again, and would keep much memory; in UTF-16 units. */
const LONGEST_KEPT = 256;

/**
 * Gives out the values of one field as texts of their own.
 *
 * A text cut out of a message keeps all of that message in memory for as long as it lives, and a key lives as long as
 * its window. Values that come again are the same text each time, so that maps need not compute their hash again.
 */
export class TextPool {
  readonly #slots: string[] = Array.from({ length: SLOTS }, () => "");

  /** The same text, by itself. */
  own(cut: string): string {
    const slot = slotOf(cut);
    const known = this.#slots[slot];
    // Faster than ===, which leaves a text that is cut out of another to a slow path.
    if (known?.length === cut.length && cut.endsWith(known)) return known;
    // Joined texts are written out before they are cut, and then it is only these that the cut keeps.
    const own = ` ${cut}`.slice(1);
    if (own.length <= LONGEST_KEPT) this.#slots[slot] = own;
    return own;
  }
}

/** Spreads well enough what people name things; a full hash would cost more than it saves. */
function slotOf(text: string): number {
  const { length } = text;
  const last = text.charCodeAt(length - 1);
  const spread =
    length * 31 + last * 7 + text.charCodeAt(length >> 1) * 131 + text.charCodeAt(length >> 2) * 17;
  // Also turns the NaN of an empty text into a slot.
  return spread & (SLOTS - 1);
}
