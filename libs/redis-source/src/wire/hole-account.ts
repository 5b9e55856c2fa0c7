import type { ProducerLedger } from "./producer-ledger.ts";
import type { ProducerRecord, ProducerRecords } from "./producer-records.ts";

/** The records of a channel that were read; `undefined`: they could not be. */
type Read = ProducerRecords | undefined;

/** A time (ms), both ends included. */
interface Interval {
  readonly from: number;
  readonly to: number;
}

/**
 * Finds out what was published while a reader was away, and since when it cannot know.
 *
 * The next number of a producer that goes on measures what was missed of it. Of one that ended meanwhile only its
 * record tells, and of one that began meanwhile that there was one at all.
 */
export class HoleAccount {
  readonly #ledger: ProducerLedger;
  /** What was there before this reader listened; `undefined`: not known. */
  #before: Read;
  /** When the first hole began, ms; `undefined`: there was none. */
  #from: number | undefined;
  /** When events may have been missed that no number counts. */
  #uncounted: Interval | undefined;
  /** When producers may have come and gone of which no record was read. */
  #untold: Interval | undefined;

  constructor(ledger: ProducerLedger) {
    this.#ledger = ledger;
  }

  /** Since when (ms) something may be missing that is not counted as lost; `undefined`: nothing is. */
  get uncertainSince(): number | undefined {
    const since = [this.#uncounted?.from, this.#untold?.from, this.#ledger.unheardSince];
    const known = since.filter((time) => time !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** Whether what was published in `[open, close)` may have been missed without a trace. */
  leavesUnknown(open: number, close: number): boolean {
    const touches = (hole: Interval | undefined): boolean =>
      hole !== undefined && hole.from < close && hole.to >= open;
    return touches(this.#uncounted) || touches(this.#untold);
  }

  /** The reader listens for the first time. */
  begin(records: Read): void {
    this.#before = records;
  }

  /**
   * A task goes on that was away: since its ledger last heard a producer, or else since `takenUpTo` (ms).
   *
   * @param takenUpTo all that came until then had been taken
   */
  resume(records: Read, takenUpTo: number, now: number): void {
    const { heardAt, bare } = this.#ledger;
    const from = heardAt === Number.NEGATIVE_INFINITY ? takenUpTo : heardAt;
    this.#from = from;
    this.#ledger.missedFrom(from);
    // No number tells what is missing of lines without numbers.
    if (bare) this.missedUncounted(takenUpTo, now);
    this.#learn(records, from, now, ({ since, publishedAtMs }) => {
      if (publishedAtMs <= from) return "before";
      return since > from ? "began" : "uncounted";
    });
    this.#before = records;
  }

  /** The reader was away from `from` on, and is not any more. */
  missed(from: number, records: Read, now: number): void {
    this.#from ??= from;
    this.#ledger.missedFrom(from);
    // No number tells what is missing of lines without numbers.
    if (this.#ledger.bare) this.missedUncounted(from, now);
    this.learn(records, now);
  }

  /** What was missed from `from` to `to` has no numbers. */
  missedUncounted(from: number, to: number): void {
    this.#uncounted = union(this.#uncounted, { from, to });
  }

  /** The reader looks once more: if it was never away, that tells it nothing. */
  learn(records: Read, now: number): void {
    const before = this.#before;
    if (this.#from === undefined) return;
    this.#learn(records, this.#from, now, ({ next }, producer) => {
      if (before === undefined) return "uncounted";
      const known = before.get(producer);
      if (known === undefined) return "began";
      return next > known.next ? "uncounted" : "before";
    });
  }

  /** @param judge when a producer that was never heard published what its record tells */
  #learn(
    records: Read,
    from: number,
    now: number,
    judge: (record: ProducerRecord, producer: string) => "before" | "began" | "uncounted",
  ): void {
    const told = records !== undefined && (records.size > 0 || this.#ledger.stats().producers > 0);
    this.#untold = told ? undefined : union(this.#untold, { from, to: now });
    for (const [producer, record] of records ?? []) {
      const verdict = this.#ledger.knows(producer) ? "known" : judge(record, producer);
      if (verdict === "before") continue;
      this.#ledger.learn(producer, record, verdict === "began", now);
      if (verdict === "uncounted") this.missedUncounted(from, now);
    }
  }
}

function union(a: Interval | undefined, b: Interval): Interval {
  return a === undefined ? b : { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
}
