import type { Clock, SystemClock } from "../clock.ts";

/**
 * The time that the clocks of keys go by; it never falls. With an event clock it is system time without the time in
 * which nothing ran, so that a stop makes nobody late. With the system clock it is system time, as far as windows
 * need not wait for news of producers.
 */
export class KeyTime {
  /** The latest system time seen. */
  now: number = Number.NEGATIVE_INFINITY;
  value: number = Number.NEGATIVE_INFINITY;
  readonly #systemClock: SystemClock | undefined;
  readonly #settledUpTo: () => number;
  #stoppedMs = 0;

  constructor(clock: Clock<never>, settledUpTo: () => number) {
    this.#systemClock = clock.kind === "system" ? clock : undefined;
    this.#settledUpTo = settledUpTo;
  }

  advance(now: number): void {
    if (now > this.now) this.now = now;
    const value = this.#systemClock?.watermarkAt(this.now, this.#settledUpTo) ?? this.now - this.#stoppedMs;
    if (value > this.value) this.value = value;
  }

  /** Goes on at `now` from the instant at which a snapshot was taken. */
  resume(value: number, now: number): void {
    this.value = value;
    this.now = now;
    if (this.#systemClock !== undefined) this.now = Math.max(now, value);
    else if (Number.isFinite(value)) this.#stoppedMs = now - value;
  }

  /** When (system time) to look whether an instant has come. */
  wakeFor(instant: number): number {
    return this.#systemClock?.wakeFor(instant, this.now, this.#settledUpTo()) ?? instant + this.#stoppedMs;
  }
}
