import type { CustomWindow, CustomWindower } from "../../src/index.ts";

/** Longer than any day, and than what clocks are set by. */
const LONGEST_MS = 49 * 3_600_000;

/** Days of a time zone, from one midnight to the next: 23 or 25 hours long where the clocks change. */
export class CalendarDays implements CustomWindower {
  readonly kind = "custom";
  readonly exclusive = true;
  readonly description: string;
  readonly #format: Intl.DateTimeFormat;

  constructor(timeZone: string) {
    this.description = `days in ${timeZone}`;
    this.#format = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
  }

  assign(timestamp: number): readonly CustomWindow[] {
    const now = Math.floor(timestamp);
    const id = this.#dateAt(now);
    const isToday = (instant: number): boolean => this.#dateAt(instant) === id;
    const open = firstInstant(now - LONGEST_MS, now, isToday);
    const close = firstInstant(now, now + LONGEST_MS, (instant) => !isToday(instant));
    return [{ id, open, close }];
  }

  /** The date on the wall, such as 20260329. */
  #dateAt(instant: number): number {
    return Number(this.#format.format(instant).replaceAll("-", ""));
  }
}

/** The first instant from which a condition holds: not yet at `before`, but at `after`. */
function firstInstant(before: number, after: number, holds: (instant: number) => boolean): number {
  let [no, yes] = [before, after];
  while (yes - no > 1) {
    const middle = Math.floor((no + yes) / 2);
    if (holds(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}
