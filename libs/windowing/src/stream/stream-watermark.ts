/**
 * How far time has come on a partition. It never falls, and it follows system time only through proved instants.
 */
export class StreamWatermark {
  value = Number.NEGATIVE_INFINITY;
  /** What the last event that raised the watermark raised it to, and the system time at which it did. */
  base = Number.NEGATIVE_INFINITY;
  at = 0;

  /** An event lifts the watermark to `mark`, which is above the present value. */
  rise(mark: number, now: number): void {
    this.value = mark;
    this.base = mark;
    this.at = now;
  }

  /** Nothing was left to read at `instant`. */
  drain(instant: number): void {
    this.raiseTo(this.base + (instant - this.at));
  }

  raiseTo(value: number): void {
    if (value > this.value) this.value = value;
  }

  /** The earliest whole ms t for which `drain(t)` lifts the watermark to `target`. */
  drainInstantFor(target: number): number {
    const instant = Math.ceil(this.at + (target - this.base));
    // Sums of fractions round: one ms more is certain to arrive, where the same ms again would spin.
    return this.base + (instant - this.at) >= target ? instant : instant + 1;
  }
}
