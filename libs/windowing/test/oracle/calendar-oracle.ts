import type { CustomWindow } from "../../src/index.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * Windows of days, weeks or months, from the clocks of Intl alone: a date begins at the first instant whose date in the
 * zone is that one, or a later one. For times since 1972, when all offsets are whole quarters of an hour.
 */
export class CalendarOracle {
  readonly #format: Intl.DateTimeFormat;
  readonly #unit: "d" | "w" | "mo";
  readonly #count: number;

  constructor(timeZone: string, unit: "d" | "w" | "mo", count: number) {
    this.#format = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
    this.#unit = unit;
    this.#count = count;
  }

  windowAt(time: number): CustomWindow {
    const date = this.#dateAt(time);
    const units = { d: date, w: Math.floor((date - 4) / 7), mo: monthOf(date) }[this.#unit];
    let id = Math.floor(units / this.#count) + 0;
    // Clocks that go back over midnight show the date before again, for a while.
    while (this.#begin(id + 1) <= time) id++;
    return { id, open: this.#begin(id), close: this.#begin(id + 1) };
  }

  #begin(id: number): number {
    const units = id * this.#count;
    const date = { d: units, w: units * 7 + 4, mo: Date.UTC(1970, units, 1) / DAY }[this.#unit];
    let instant = date * DAY - 15 * HOUR;
    while (this.#dateAt(instant) < date) instant += HOUR / 4;
    return instant;
  }

  /** The date on the wall, in days since 1970-01-01. */
  #dateAt(instant: number): number {
    return Date.parse(`${this.#format.format(instant)}T00:00Z`) / DAY;
  }
}

function monthOf(date: number): number {
  const day = new Date(date * DAY);
  return (day.getUTCFullYear() - 1970) * 12 + day.getUTCMonth();
}
