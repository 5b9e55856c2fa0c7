import type { ProducerLedger } from "./producer-ledger.ts";
import type { ProducerRecord, ProducerRecords } from "./producer-records.ts";

/** The records of a channel; `undefined`: they could not be read. */
type Read = ProducerRecords | undefined;

/** A range of time (ms), both ends included. */
interface Interval {
  readonly from: number;
  readonly to: number;
}

/**
 * Finds out what was published while a reader was disconnected, and since when that is uncertain.
 *
 * If a producer continues, its next number measures what was missed. If it ended during the outage, only its record shows
 * that. If it began during the outage, only its record shows that it exists.
 */
export class OutageLoss {
  readonly #ledger: ProducerLedger;
  /** The records from before this reader subscribed; `undefined`: not known. */
  #before: Read;
  /** When the first outage began, ms; `undefined`: there was none. */
  #from: number | undefined;
  /** When events without numbers may have been missed. */
  #uncounted: Interval | undefined;
  /** When producers may have begun and ended whose records were not read. */
  #unrecorded: Interval | undefined;

  constructor(ledger: ProducerLedger) {
    this.#ledger = ledger;
  }

  /** Since when (ms) something may be missing that is not counted as lost; `undefined`: nothing is. */
  get uncertainSince(): number | undefined {
    const since = [this.#uncounted?.from, this.#unrecorded?.from, this.#ledger.unheardSince];
    const known = since.filter((time) => time !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** Whether events published in `[open, close)` may have been missed without being counted. */
  leavesUnknown(open: number, close: number): boolean {
    const touches = (hole: Interval | undefined): boolean =>
      hole !== undefined && hole.from < close && hole.to >= open;
    return touches(this.#uncounted) || touches(this.#unrecorded);
  }

  /** The reader subscribes for the first time. */
  begin(records: Read): void {
    this.#before = records;
  }

  /**
   * A task resumes. It was away since its ledger last heard a producer, or else since `takenUpTo` (ms).
   *
   * @param takenUpTo the time up to which everything that came was taken
   */
  resume(records: Read, takenUpTo: number, now: number): void {
    const { heardAt, bare } = this.#ledger;
    const from = heardAt === Number.NEGATIVE_INFINITY ? takenUpTo : heardAt;
    this.#from = from;
    this.#ledger.missedFrom(from);
    // Lines without numbers: no number shows how many are missing.
    if (bare) this.missedUncounted(takenUpTo, now);
    this.#learn(records, from, now, ({ since, publishedAtMs }) => {
      if (publishedAtMs <= from) return "before";
      return since > from ? "began" : "uncounted";
    });
    this.#before = records;
  }

  /** The reader was disconnected from `from` until now. */
  missed(from: number, records: Read, now: number): void {
    this.#from ??= from;
    this.#ledger.missedFrom(from);
    // Lines without numbers: no number shows how many are missing.
    if (this.#ledger.bare) this.missedUncounted(from, now);
    this.learn(records, now);
  }

  /** Events without numbers may have been missed from `from` to `to`. */
  missedUncounted(from: number, to: number): void {
    this.#uncounted = union(this.#uncounted, { from, to });
  }

  /** Takes the latest records. Without an outage they show nothing new. */
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

  /** @param judge decides when a producer that was never heard published what its record counts */
  #learn(
    records: Read,
    from: number,
    now: number,
    judge: (record: ProducerRecord, producer: string) => "before" | "began" | "uncounted",
  ): void {
    const recorded = records !== undefined && (records.size > 0 || this.#ledger.stats().producers > 0);
    this.#unrecorded = recorded ? undefined : union(this.#unrecorded, { from, to: now });
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
