/** Without a new connection for so long (ms) a start is over: what is opened later begins another one. */
const OVER_AFTER_MS = 5_000;

/**
 * One clock for the first connections of a start: given to the options of a source, a store and sinks, it lets them take
 * `connectTimeoutMs` together, however many they are. It runs while at least one of them is being opened, so what a start
 * does in between (load state, wait for subscribers) does not count.
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

  /** It is open, or given up. */
  end(now: number): void {
    this.#opening -= 1;
    if (this.#opening > 0) return;
    this.#spentMs += now - this.#since;
    this.#since = now;
  }
}
