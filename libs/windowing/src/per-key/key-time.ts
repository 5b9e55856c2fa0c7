import type { Clock, SystemClock } from "../clock.ts";

/**
 * The time on which the clocks of keys run; it never decreases. With an event clock it is system time without the time
 * in which nothing ran, so that a stop makes no event late. With the system clock it is system time, except while
 * windows wait until every producer has been heard.
 */
export class KeyTime {
  /** The latest system time seen. */
  now: number = Number.NEGATIVE_INFINITY;
  value: number = Number.NEGATIVE_INFINITY;
  readonly #systemClock: SystemClock | undefined;
  readonly #settledUpTo: () => number;
  #stoppedMs = 0;
  /** How far the time of a restored state is ahead of system time: a clock was set back, and time continues evenly. */
  #aheadMs = 0;

  constructor(clock: Clock<never>, settledUpTo: () => number) {
    this.#systemClock = clock.kind === "system" ? clock : undefined;
    this.#settledUpTo = settledUpTo;
  }

  get aheadMs(): number {
    return this.#aheadMs;
  }

  advance(systemTime: number): void {
    this.now = Math.max(this.now, systemTime + this.#aheadMs);
    const value = this.#systemClock?.watermarkAt(this.now, this.#settledUpTo) ?? this.now - this.#stoppedMs;
    if (value > this.value) this.value = value;
  }

  /** Continues at `now` from the instant of a snapshot. */
  resume(value: number, now: number): void {
    this.value = value;
    this.now = now;
    if (this.#systemClock !== undefined) {
      this.#aheadMs = Math.max(value - now, 0);
      this.now = now + this.#aheadMs;
    } else if (Number.isFinite(value)) this.#stoppedMs = now - value;
  }

  /** System time was set forward by this many ms, which have not passed. */
  skipped(ms: number): void {
    this.#stoppedMs += ms;
  }

  /** When (system time) to check whether an instant has been reached. */
  wakeFor(instant: number): number {
    if (this.#systemClock === undefined) return instant + this.#stoppedMs;
    return this.#systemClock.wakeFor(instant, this.now, this.#settledUpTo()) - this.#aheadMs;
  }
}
