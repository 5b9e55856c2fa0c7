/**
 * The watermark of a partition. It never decreases, and follows system time only up to proved instants.
 */
export class StreamWatermark {
  value = Number.NEGATIVE_INFINITY;
  /** The value that the last event raised the watermark to, and the system time of that event. */
  base = Number.NEGATIVE_INFINITY;
  at = 0;

  /** An event raises the watermark to `mark`, which is above the present value. */
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

  /** The earliest whole ms t for which `drain(t)` raises the watermark to `target`. */
  drainInstantFor(target: number): number {
    const instant = Math.ceil(this.at + (target - this.base));
    // Sums of fractions round: one ms more is certain to arrive, while the same ms again would loop forever.
    return this.base + (instant - this.at) >= target ? instant : instant + 1;
  }
}
