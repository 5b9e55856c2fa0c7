/** A start is over after this long (ms) without a new connection; a later connection begins another start. */
const OVER_AFTER_MS = 5_000;

/**
 * One clock for the first connections of a start. Give it to the options of a source, a store and sinks: then all of them
 * together may take `connectTimeoutMs`. It runs while at least one of them is being opened, so other work of a start
 * (loading state, waiting for subscribers) does not count.
 */
export class StartClock {
  #opening = 0;
  #since = 0;
  #spentMs = 0;

  /** A connection is being opened. @param now monotonic, ms @returns how much of the time is spent, ms */
  begin(now: number): number {
    if (this.#opening === 0) {
      if (now > this.#since + OVER_AFTER_MS) this.#spentMs = 0;
      this.#since = now;
    }
    this.#opening += 1;
    return this.#spentMs + now - this.#since;
  }

  /** The connection is open, or given up. */
  end(now: number): void {
    this.#opening -= 1;
    if (this.#opening > 0) return;
    this.#spentMs += now - this.#since;
    this.#since = now;
  }
}
