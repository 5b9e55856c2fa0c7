import type { Completeness, Json } from "@millrace/dataflow";

/** Most gaps that are kept apart; beyond it the two oldest become one. */
const MOST_GAPS = 64;

/**
 * Records that were gone before they were read: between which record times (ms) they were, and how many offsets. No end: no
 * later record has been read yet. No number: it is not known.
 */
export type LossEntry = readonly [from: number, to: number | null, offsets: number | null];

/**
 * What was gone before it was read: deleted by retention, or with the topic. How many events retention deleted is not known
 * exactly: an offset may have been that of a marker of a transaction, or of a record that compaction had removed, and a record
 * may hold several lines.
 */
export class Losses {
  readonly #gaps: LossEntry[];
  /** A gap without an end. */
  #open: LossEntry | undefined;

  constructor(gaps: readonly LossEntry[] = []) {
    this.#gaps = gaps.filter(([, to]) => to !== null);
    this.#open = gaps.find(([, to]) => to === null);
  }

  /** A gap begins, or becomes larger. @param from the time of the last record before it, ms @param offsets `null`: not known */
  begin(offsets: number | null, from: number): void {
    this.#open = united(this.#open ?? [from, null, 0], [from, null, offsets]);
  }

  /**
   * A record after the gap has come. One that is not later than the gap's begin shows no end of it: its time is that of another
   * clock, or missing.
   *
   * @param to its time, ms @returns whether a gap has ended
   */
  end(to: number): boolean {
    if (this.#open === undefined) return false;
    const [from, , offsets] = this.#open;
    if (to <= from) return false;
    this.#open = undefined;
    this.#gaps.push([from, to, offsets]);
    const [first, second] = this.#gaps;
    if (this.#gaps.length > MOST_GAPS && first !== undefined && second !== undefined) {
      this.#gaps.splice(0, 2, united(first, second));
    }
    return true;
  }

  /** Whether records with times in `[open, close)` may be missing. "unknown": how many is not known. */
  completeness(open: number, close: number): Completeness {
    let atMost = 0;
    for (const [from, to, offsets] of this.snapshot()) {
      if (from >= close || (to !== null && to < open)) continue;
      if (offsets === null) return "unknown";
      atMost += offsets;
    }
    return atMost === 0 ? true : { atLeast: 0, atMost };
  }

  snapshot(): readonly LossEntry[] {
    return this.#open === undefined ? [...this.#gaps] : [...this.#gaps, this.#open];
  }
}

/** Both gaps as one; with no end if one has none. */
function united(a: LossEntry, b: LossEntry): LossEntry {
  return [
    Math.min(a[0], b[0]),
    a[1] === null || b[1] === null ? null : Math.max(a[1], b[1]),
    a[2] === null || b[2] === null ? null : a[2] + b[2],
  ];
}

/** What {@link Losses.snapshot} wrote; `undefined`: something else did. */
export function readLosses(given: Json | undefined): readonly LossEntry[] | undefined {
  if (given === undefined) return [];
  if (!Array.isArray(given)) return undefined;
  const entries: LossEntry[] = [];
  for (const entry of given as readonly Json[]) {
    if (!Array.isArray(entry)) return undefined;
    const [from, to, offsets] = entry as readonly Json[];
    if (typeof from !== "number" || !isNumberOrNull(to) || !isNumberOrNull(offsets)) return undefined;
    entries.push([from, to, offsets]);
  }
  return entries;
}

function isNumberOrNull(value: Json | undefined): value is number | null {
  return value === null || typeof value === "number";
}
