import type { Completeness, Json } from "@millrace/dataflow";

/** Most gaps that are kept apart; beyond it the two oldest become one. */
const MOST_GAPS = 64;

/** Offsets that were deleted unread, and between which record times (ms) they were: from, to, how many. */
export type LossEntry = readonly [from: number, to: number, offsets: number];

/**
 * What retention deleted before it was read. How many events that were is not known exactly: an offset may have been that of
 * a marker of a transaction, or of a record that compaction had removed, and a record may hold several lines.
 */
export class Losses {
  readonly #gaps: LossEntry[];

  constructor(gaps: readonly LossEntry[] = []) {
    this.#gaps = [...gaps];
  }

  /** @param from the time of the last record before the gap @param to the time of the first one after it, both ms */
  add(offsets: number, from: number, to: number): void {
    this.#gaps.push([from, Math.max(from, to), offsets]);
    const [first, second] = this.#gaps;
    if (this.#gaps.length <= MOST_GAPS || first === undefined || second === undefined) return;
    const both: LossEntry = [
      Math.min(first[0], second[0]),
      Math.max(first[1], second[1]),
      first[2] + second[2],
    ];
    this.#gaps.splice(0, 2, both);
  }

  /** Whether records with times in `[open, close)` may be missing. */
  completeness(open: number, close: number): Completeness {
    let atMost = 0;
    for (const [from, to, offsets] of this.#gaps) if (from < close && to >= open) atMost += offsets;
    return atMost === 0 ? true : { atLeast: 0, atMost };
  }

  snapshot(): readonly LossEntry[] {
    return [...this.#gaps];
  }
}

/** What {@link Losses.snapshot} wrote; `undefined`: something else did. */
export function readLosses(given: Json | undefined): readonly LossEntry[] | undefined {
  if (given === undefined) return [];
  if (!Array.isArray(given)) return undefined;
  const entries: LossEntry[] = [];
  for (const entry of given as readonly Json[]) {
    if (!Array.isArray(entry)) return undefined;
    const [from, to, offsets] = entry as readonly Json[];
    if (typeof from !== "number" || typeof to !== "number" || typeof offsets !== "number") return undefined;
    entries.push([from, to, offsets]);
  }
  return entries;
}
