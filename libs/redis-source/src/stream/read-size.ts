/** Bounds of one batch. */
export interface BatchLimits {
  readonly maxBatchEvents: number;
  readonly maxBatchBytes: number;
}

const FIRST_READ = 64;
// Measured: reads of 8,000 entries cost three times the CPU of reads of 1,000, all of it garbage collection.
const MOST_ENTRIES = 1_024;
/** One batch of small entries must not lead to a huge one when large entries follow. */
const FASTEST_GROWTH = 4;

/**
 * How many entries to ask Redis for. XREAD counts entries, but a batch is limited by events and bytes: so the entries of
 * the previous read predict how many fit. If sizes jump, one batch may be up to four times as large as configured.
 */
export class ReadSize {
  readonly #limits: BatchLimits;
  #entries: number;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
    this.#entries = Math.min(FIRST_READ, limits.maxBatchEvents);
  }

  get entries(): number {
    return this.#entries;
  }

  /** Adapts to the sizes of what was read. */
  measure(entries: number, events: number, bytes: number): void {
    const { maxBatchEvents, maxBatchBytes } = this.#limits;
    const fitting = Math.min(
      (maxBatchEvents * entries) / Math.max(events, entries),
      (maxBatchBytes * entries) / Math.max(bytes, 1),
      this.#entries * FASTEST_GROWTH,
      MOST_ENTRIES,
    );
    this.#entries = Math.max(Math.floor(fitting), 1);
  }
}
