import type { Temporal } from "temporal-polyfill";

import type { CalendarStep, CalendarUnit } from "./duration.ts";
import { WindowSpecError } from "./errors.ts";
import { OrdinalWindower } from "./ordinal-windower.ts";
import { temporal } from "./temporal.ts";
import { MAX_TIME } from "./timestamps.ts";
import type { OrdinalWindow } from "./window.ts";

const DAY_MS = 86_400_000;

/** A unit of the calendar. */
interface Unit {
  /** The date at which number 0 begins. */
  readonly origin: string;
  readonly name: string;
  /** In the language's calendar. */
  readonly field: "days" | "weeks" | "months";
  /** Over 400 years, after which the calendar repeats. */
  readonly averageMs: number;
  readonly longestDays: number;
}

const UNITS: Readonly<Record<CalendarUnit, Unit>> = {
  d: { origin: "1970-01-01", name: "day", field: "days", averageMs: DAY_MS, longestDays: 1 },
  // A Monday.
  w: { origin: "1970-01-05", name: "week", field: "weeks", averageMs: 7 * DAY_MS, longestDays: 7 },
  mo: {
    origin: "1970-01-01",
    name: "month",
    field: "months",
    averageMs: (146_097 / 4_800) * DAY_MS,
    longestDays: 31,
  },
};

/** Bounds that are remembered: more than windows that are open at a time. */
const MAX_REMEMBERED = 4_096;

const NOWHERE = { id: 0, open: Number.POSITIVE_INFINITY, close: Number.NEGATIVE_INFINITY };

/**
 * Days, weeks or months of a time zone, or several of them, side by side. A date begins at its midnight, or at its first
 * instant if the clocks leave midnight out. A date that the zone left out has no instant.
 *
 * The bounds follow the zone's rules that the runtime knows: if they change with an update, so do those of open windows,
 * which keep their dates.
 */
export class CalendarWindower extends OrdinalWindower {
  readonly kind = "calendar";
  readonly exclusive = true;
  /** The zone's name, in its usual case. */
  readonly timeZone: string;
  /** The length of a window in words, such as `2 days`. */
  readonly lengthText: string;
  /** What no window is longer than (ms). */
  readonly lengthMs: number;
  readonly #count: number;
  readonly #unit: Unit;
  readonly #origin: Temporal.PlainDate;
  /** When windows open, by their ids. */
  readonly #opens = new Map<number, number>();
  /** The window of the last timestamp. */
  #last: Pick<OrdinalWindow, "id" | "open" | "close"> = NOWHERE;

  /** @throws WindowSpecError for an unknown time zone */
  constructor({ count, unit }: CalendarStep, timeZone: string) {
    super();
    this.#count = count;
    this.#unit = UNITS[unit];
    this.#origin = temporal().PlainDate.from(this.#unit.origin);
    this.timeZone = knownTimeZone(this.#origin, timeZone);
    this.lengthText = `${String(count)} ${this.#unit.name}${count === 1 ? "" : "s"}`;
    // Some zone's clock was once set back by a day.
    this.lengthMs = (count * this.#unit.longestDays + 1) * DAY_MS;
  }

  override get description(): string {
    return `calendar ${this.lengthText} in ${this.timeZone}`;
  }

  override openOf(id: number): number {
    const known = this.#opens.get(id);
    if (known !== undefined) return known;
    if (this.#opens.size === MAX_REMEMBERED) this.#opens.clear();
    const open = this.#computeOpen(id);
    this.#opens.set(id, open);
    return open;
  }

  override closeOf(id: number): number {
    return this.openOf(id + 1);
  }

  override firstIdAt(timestamp: number): number {
    return this.lastIdAt(timestamp);
  }

  /** Asks the calendar only for windows that are not known, starting at about the right one. */
  override lastIdAt(timestamp: number): number {
    if (timestamp >= this.#last.open && timestamp < this.#last.close) return this.#last.id;
    let id = Math.floor(timestamp / (this.#unit.averageMs * this.#count)) + 0;
    while (timestamp < this.openOf(id)) id--;
    while (timestamp >= this.closeOf(id)) id++;
    this.#last = { id, open: this.openOf(id), close: this.closeOf(id) };
    return id;
  }

  #computeOpen(id: number): number {
    try {
      const date = this.#origin.add({ [this.#unit.field]: id * this.#count });
      return date.toZonedDateTime(this.timeZone).epochMilliseconds;
    } catch (error) {
      // A date before or after all timestamps: the first window holds the first one, and the last window the last.
      if (error instanceof Error && error.name === "RangeError") return id < 0 ? -MAX_TIME : MAX_TIME + 1;
      throw error;
    }
  }
}

/** The name of a time zone in its usual case. @throws WindowSpecError */
function knownTimeZone(date: Temporal.PlainDate, timeZone: string): string {
  try {
    return date.toZonedDateTime(timeZone).timeZoneId;
  } catch (error) {
    throw new WindowSpecError(
      `${JSON.stringify(timeZone)} is no time zone that this runtime knows: give an IANA name, such as Europe/Berlin.`,
      { cause: error },
    );
  }
}
