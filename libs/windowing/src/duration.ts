import { DurationError, WindowSpecError } from "./errors.ts";

const UNIT_MS = {
  ms: 1n,
  s: 1_000n,
  m: 60_000n,
  h: 3_600_000n,
  d: 86_400_000n,
  w: 604_800_000n,
} as const;

type Unit = keyof typeof UNIT_MS;

/** From the largest to the smallest. */
const UNITS = ["d", "h", "m", "s", "ms"] as const satisfies readonly Unit[];

/**
 * A length of time: a number of milliseconds, or a text such as `"500ms"`, `"1.5s"`, `"5m"`, `"1h"`, `"2d"` or `"1w"`. A
 * day (`d`) is 24 hours, and a week (`w`) seven of them. Use {@link parseDuration} for a text from a configuration.
 */
export type Duration = number | `${number}${Unit}`;

/** Units of the calendar of a time zone. Their lengths differ. */
export type CalendarUnit = "d" | "w" | "mo";

/** A whole number of days, weeks or months of a calendar, such as `"1d"`, `"2w"` or `"3mo"`. */
export type CalendarLength = `${number}${CalendarUnit}`;

const BARE = /^\d*\.?\d+$/;
const MONTHS = /^\d*\.?\d+mo$/;
const DURATION = /^(\d*)(?:\.(\d+))?(ms|s|m|h|d|w)$/;
const CALENDAR_LENGTH = /^([1-9]\d*)(d|w|mo)$/;

/** The format that {@link parseDuration} accepts, for help texts and messages. */
export const DURATION_FORM = "a number with one of the units ms, s, m, h, d, w, such as 500ms or 5s";

/**
 * Parses `500ms`, `5s`, `1.5m`, `2h`, `0.7d` or `1w`; a number without a unit is refused, but for 0.
 *
 * @param leastMs the shortest duration that is accepted; `@default 1`
 * @returns whole milliseconds, rounded exactly
 * @throws DurationError for anything else
 */
export function parseDuration(text: string, leastMs = 1): number {
  const [, whole = "", fraction = "", unit] = DURATION.exec(text) ?? [];
  // Of 0 there is no doubt what it means.
  const ms = text === "0" ? 0 : isUnit(unit) ? millisecondsOf(whole, fraction, UNIT_MS[unit]) : Number.NaN;
  if (!Number.isSafeInteger(ms) || ms < leastMs) {
    throw new DurationError(
      `${JSON.stringify(text)} is not a duration${leastMs > 0 ? " above 0" : ""}: give ${DURATION_FORM}${hintFor(text)}`,
    );
  }
  return ms;
}

function hintFor(text: string): string {
  if (BARE.test(text)) return `, so write ${text}s for seconds or ${text}ms for milliseconds`;
  return MONTHS.test(text)
    ? "; a month has no fixed length, and is only for tumbling windows in a time zone"
    : "";
}

/** A number of units of a calendar. */
export interface CalendarStep {
  readonly count: number;
  readonly unit: CalendarUnit;
}

/**
 * Parses `1d`, `2w` or `3mo`, as units of a calendar.
 *
 * @throws DurationError for anything else
 */
export function parseCalendarLength(text: unknown): CalendarStep {
  const [, digits, unit] = typeof text === "string" ? (CALENDAR_LENGTH.exec(text) ?? []) : [];
  const count = Number(digits);
  if (Number.isSafeInteger(count) && isCalendarUnit(unit)) return { count, unit };
  throw new DurationError(
    `${JSON.stringify(text)} is not a length of windows in a time zone, which are whole days, weeks or months: give one ` +
      "such as 1d, 2w or 3mo, or leave the time zone out for a fixed length, such as 24h.",
  );
}

/** Whether a text from elsewhere is a length of windows in a time zone. */
export function isCalendarLength(text: string): text is CalendarLength {
  return CALENDAR_LENGTH.test(text);
}

function isCalendarUnit(unit: string | undefined): unit is CalendarUnit {
  return unit === "d" || unit === "w" || unit === "mo";
}

/** A duration in milliseconds. A number is returned as it is. @throws DurationError for an invalid text */
export function toMs(duration: Duration): number {
  return typeof duration === "string" ? parseDuration(duration, 0) : duration;
}

/** A duration in the largest unit of which it is a whole number, as {@link parseDuration} reads it: `90m`, `4h`, `1d`. */
export function formatDuration(ms: number): string {
  const unit = UNITS.find((each) => ms % Number(UNIT_MS[each]) === 0);
  return unit === undefined || ms === 0 ? `${ms}ms` : `${ms / Number(UNIT_MS[unit])}${unit}`;
}

/** Computed with whole numbers, since 2.01 * 1000 is not 2010. */
function millisecondsOf(whole: string, fraction: string, unitMs: bigint): number {
  if (whole === "" && fraction === "") return Number.NaN;
  const parts = 10n ** BigInt(fraction.length);
  const inParts = BigInt(whole + fraction) * unitMs;
  return Number((2n * inParts + parts) / (2n * parts));
}

function isUnit(text: string | undefined): text is Unit {
  return text !== undefined && text in UNIT_MS;
}

/**
 * A duration as a whole number of milliseconds of at least `least`.
 *
 * @throws WindowSpecError, DurationError
 */
export function requireMs(duration: Duration, name: string, least: number): number {
  const ms = toMs(duration);
  if (Number.isSafeInteger(ms) && ms >= least) return ms;
  throw new WindowSpecError(
    `${name} is ${String(duration)}, but must be a whole number of milliseconds` +
      (Number.isFinite(least) && least > Number.MIN_SAFE_INTEGER ? ` of at least ${String(least)}` : "") +
      ', or a text such as "5s".',
  );
}
