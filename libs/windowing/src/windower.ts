import { CalendarWindower } from "./calendar-windower.ts";
import type { CustomWindower } from "./custom-windower.ts";
import type { CalendarLength, Duration } from "./duration.ts";
import { WindowSpecError } from "./errors.ts";
import { FixedWindower } from "./fixed-windower.ts";
import { parseCalendarLength, requireMs } from "./duration.ts";

/** The windowers of this library: made by {@link tumbling}, {@link sliding} or {@link session}. */
export type BuiltInWindower = FixedWindower | CalendarWindower | SessionWindower;

/** What divides time into windows. */
export type Windower = BuiltInWindower | CustomWindower;

/** What divides sessions. */
export interface SessionWindower {
  readonly kind: "session";
  /** The longest pause in ms between two events of one session, inclusive. */
  readonly gapMs: number;
}

/** Only tumbling windows have a time zone. */
interface WithoutTimeZone {
  readonly timeZone?: never;
}

/** Where windows begin. */
export interface TumblingOptions extends WithoutTimeZone {
  /** Any instant (ms since the epoch) at which window 0 opens. @default 0 */
  readonly alignTo?: number;
}

/** Whose days, weeks or months windows are. */
export interface CalendarOptions {
  /** A time zone by its IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
  readonly alignTo?: never;
}

/** Distance and origin of windows that overlap. */
export interface SlidingOptions extends TumblingOptions {
  /** Time from one window's open to the next one's: at least 1 ms, at most the length. */
  readonly every: Duration;
}

/** Maximum number of windows of one event. */
const MAX_OVERLAP = 10_000;

/**
 * Adjacent windows: each event is in exactly one.
 *
 * With a time zone they are days, weeks (from Monday) or months of its calendar, which begin at midnight there, or where the
 * clocks leave midnight out, at the first instant of the day: a day has 23 or 25 hours when the clocks change. Days and
 * months are counted from 1970-01-01, weeks from Monday, 1970-01-05: `3mo` are quarters.
 *
 * @param length of each window: whole milliseconds, at least 1; with a time zone whole days, weeks or months
 * @throws WindowSpecError, DurationError
 * @example tumbling("5s")
 * @example tumbling("1d", { timeZone: "Europe/Berlin" })
 */
export function tumbling(length: CalendarLength, options: CalendarOptions): CalendarWindower;
export function tumbling(length: Duration, options?: TumblingOptions): FixedWindower;
export function tumbling(
  length: Duration | CalendarLength,
  { alignTo, timeZone }: { readonly alignTo?: number; readonly timeZone?: string } = {},
): FixedWindower | CalendarWindower {
  if (timeZone !== undefined) {
    if (alignTo === undefined) return new CalendarWindower(parseCalendarLength(length), timeZone);
    throw new WindowSpecError("alignTo is for windows without a time zone: leave it or timeZone out.");
  }
  return fixedTumbling(length as Duration, alignTo ?? 0);
}

function fixedTumbling(length: Duration, alignTo: number): FixedWindower {
  const lengthMs = requireMs(length, "length", 1);
  return new FixedWindower("tumbling", lengthMs, lengthMs, requireInstant(alignTo));
}

/**
 * Windows that overlap: each event is in every window that is open at its time.
 *
 * @param length of each window: whole milliseconds, at least 1
 * @throws WindowSpecError, DurationError
 * @example sliding("10s", { every: "1s" })
 */
export function sliding(length: Duration, { every, alignTo = 0, timeZone }: SlidingOptions): FixedWindower {
  refuseTimeZone("sliding", timeZone);
  const lengthMs = requireMs(length, "length", 1);
  const everyMs = requireMs(every, "every", 1);
  if (everyMs > lengthMs) {
    throw new WindowSpecError(
      `every (${String(every)}) is longer than length (${String(length)}): events between two windows ` +
        `would belong to no window. Make every at most as long as length.`,
    );
  }
  if (lengthMs / everyMs > MAX_OVERLAP) {
    throw new WindowSpecError(
      `length (${String(length)}) is more than ${String(MAX_OVERLAP)} times every (${String(every)}): each ` +
        `event would be in as many windows. Make every longer.`,
    );
  }
  return new FixedWindower("sliding", lengthMs, everyMs, requireInstant(alignTo));
}

/**
 * A session is a key's events without a pause longer than the gap. It is due once the watermark has passed
 * its last event by more than the gap; sessions that touch are merged.
 *
 * @param gap the longest pause between two events of one session, inclusive: whole milliseconds, at least 0
 * @throws WindowSpecError, DurationError
 * @example session("30s")
 */
export function session(gap: Duration, { timeZone }: WithoutTimeZone = {}): SessionWindower {
  refuseTimeZone("session", timeZone);
  return Object.freeze({ kind: "session", gapMs: requireMs(gap, "gap", 0) });
}

function refuseTimeZone(kind: string, timeZone: unknown): void {
  if (timeZone === undefined) return;
  throw new WindowSpecError(
    `${kind} windows have no time zone, only tumbling ones do: leave timeZone out, or use tumbling.`,
  );
}

function requireInstant(alignTo: number): number {
  if (Number.isSafeInteger(alignTo)) return alignTo;
  throw new WindowSpecError(`alignTo is ${String(alignTo)}, but must be a whole number of milliseconds.`);
}
