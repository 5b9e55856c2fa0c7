/** The watermark of one key. All instants are in the keys' time ({@link KeyTime}). */
export class KeyClock {
  /** The watermark when an event last raised it, and the instant of that event. */
  base: number;
  at: number;
  /** The watermark is at least this: windows that ended before are closed, whatever the clock says. */
  floor: number;

  constructor(base: number, at: number, floor: number) {
    this.base = base;
    this.at = at;
    this.floor = floor;
  }

  /** The watermark, which advances with time. */
  watermark(time: number): number {
    return Math.max(this.floor, this.base + (time - this.at));
  }

  rise(mark: number, time: number): void {
    this.base = mark;
    this.at = time;
  }

  /** The first whole instant at which the watermark has reached `target`. */
  instantFor(target: number): number {
    if (this.base === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;
    const instant = Math.ceil(this.at + (target - this.base));
    // Sums of fractions round: one ms more is certain to arrive, while the same ms again would loop forever.
    return this.base + (instant - this.at) >= target ? instant : instant + 1;
  }
}
