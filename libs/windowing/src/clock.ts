import type { Duration } from "./duration.ts";
import { requireMs, toMs } from "./duration.ts";
import { WindowSpecError } from "./errors.ts";

/**
 * Gives an event its timestamp and determines the watermark: made by {@link eventTime}, {@link messageTime},
 * {@link windowTime} or {@link systemTime}.
 */
export type Clock<V> = SystemClock | EventClock<V>;

/**
 * An event's time: milliseconds since the epoch, a `Date`, or an ISO 8601 text with its zone
 * (`2026-01-31T12:00:00Z`, `2026-01-31T12:00:00.250+01:00`). Numbers are the cheapest. Anything else is an invalid
 * timestamp, and the event is refused.
 */
export type Timestamp = number | Date | string;

/** Options of windows on the system clock. */
export interface SystemTimeOptions {
  /**
   * How long (of system time) a window may wait after its close until every producer has been heard
   * (`WindowEngineOptions.settledUpTo`), so that its row can say whether it is complete. It is emitted as soon as they
   * are, at the latest after this time. Events that arrive in between belong to later windows. @default 0
   */
  readonly settle?: Duration;
}

/** How long to wait for events out of order, and which timestamps are too far in the future. */
export interface WaitOptions {
  /**
   * How far the watermark stays below the latest timestamp, to wait for events out of order.
   * `"unbounded"`: nothing closes before the input ends.
   */
  readonly wait: Duration | "unbounded";
  /**
   * How far a timestamp may be ahead of the event's arrival. The arrival is the time of its message, unless the clock
   * reads that time itself or it is in the future; then it is `now`. An event beyond it is refused, so that one wrong
   * clock does not make all other events late. @default "5m"
   */
  readonly maxFuture?: Duration | "unbounded";
}

/** Options of windows on the time of events. */
export interface EventTimeOptions extends WaitOptions {
  /**
   * What a number counts since the epoch: milliseconds or seconds. Seconds may have a fraction, which is rounded to
   * milliseconds. With a unit, a text of digits is a number too, as in streams of flat fields. `Date`s and ISO 8601 texts
   * have no unit. @default numbers are milliseconds, and a text of digits is refused
   */
  readonly unit?: "ms" | "s";
}

/**
 * The time of an event is its own. An event whose time is no {@link Timestamp} is refused.
 *
 * @param at a function of the event, or the name of its field
 * @throws WindowSpecError, DurationError
 * @example eventTime((order) => order.at, { wait: "5s" })
 * @example eventTime("at", { wait: "5s" })
 * @example eventTime("epoch", { unit: "s", wait: "5s" }) // 1764324000 or "1764324000"
 */
export function eventTime<V>(at: (event: V) => Timestamp, options: EventTimeOptions): EventClock<V>;
export function eventTime<F extends string>(
  at: F,
  options: EventTimeOptions,
): EventClock<Readonly<Record<F, Timestamp>>>;
export function eventTime(
  at: string | ((event: Readonly<Record<string, Timestamp>>) => Timestamp | undefined),
  options: EventTimeOptions,
): EventClock<Readonly<Record<string, Timestamp>>> {
  const read = typeof at === "string" ? (event: Readonly<Record<string, Timestamp>>) => event[at] : at;
  return eventClock(inMilliseconds(read, options.unit), options);
}

function inMilliseconds<V>(
  read: (event: V) => Timestamp | undefined,
  unit: EventTimeOptions["unit"],
): (event: V) => Timestamp | undefined {
  switch (unit) {
    case undefined:
      return read;
    case "ms":
      return withUnit(read, (time) => time);
    case "s":
      return withUnit(read, (time) => Math.round(time * 1_000));
    default:
      throw new WindowSpecError(`unit is ${JSON.stringify(unit)}, but must be "ms" or "s".`);
  }
}

const DIGITS = /^-?\d+(?:\.\d+)?$/;

function withUnit<V>(
  read: (event: V) => Timestamp | undefined,
  msOf: (time: number) => number,
): (event: V) => Timestamp | undefined {
  return (event) => {
    const time = read(event);
    if (typeof time === "number") return msOf(time);
    return typeof time === "string" && DIGITS.test(time) ? msOf(Number(time)) : time;
  };
}

/**
 * The time of an event is that of its message: when it was published, or entered its stream.
 *
 * @throws WindowSpecError, DurationError
 */
export function messageTime(options: WaitOptions): EventClock<unknown> {
  return eventClock(undefined, options);
}

/**
 * The time of a window's result is the last instant of its window, its close minus 1 ms, as `window_time` in Flink SQL:
 * for windows over results of windows.
 *
 * @param options how long to wait for results that steps in between delay. `@default { wait: 0 }`
 * @throws WindowSpecError, DurationError
 */
export function windowTime({ wait = 0 }: Partial<Pick<WaitOptions, "wait">> = {}): EventClock<{
  readonly window: { readonly close: number };
}> {
  return eventClock(lastInstant, { wait, maxFuture: "unbounded" });
}

/** Whether a clock is one of {@link windowTime}: its events must be results of windows. */
export function isWindowTime<V>(clock: Clock<V>): boolean {
  return clock.kind === "event" && clock.timestamp === lastInstant;
}

function lastInstant({ window }: { readonly window: { readonly close: number } }): number {
  return window.close - 1;
}

/**
 * The time of an event is the system time at which it arrives: no event is ever late.
 *
 * @throws WindowSpecError, DurationError
 */
export function systemTime({ settle = 0 }: SystemTimeOptions = {}): SystemClock {
  return new SystemClock(requireMs(settle, "settle", 0));
}

/** A clock that uses the times of events. */
export interface EventClock<V> {
  readonly kind: "event";
  /** Reads an event's time; `undefined`: the time of its message is used. */
  readonly timestamp: ((event: V) => Timestamp | undefined) | undefined;
  /** Infinity for an unbounded wait. */
  readonly waitMs: number;
  /** Infinity for an unbounded future. */
  readonly maxFutureMs: number;
}

/** Default of how far an event's time may be ahead of its arrival, ms. */
export const DEFAULT_MAX_FUTURE_MS = 300_000;

function eventClock<V>(
  timestamp: EventClock<V>["timestamp"],
  { wait, maxFuture = DEFAULT_MAX_FUTURE_MS }: WaitOptions,
): EventClock<V> {
  const waitMs = wait === "unbounded" ? Number.POSITIVE_INFINITY : requireMs(wait, "wait", 0);
  const maxFutureMs = maxFuture === "unbounded" ? Number.POSITIVE_INFINITY : toMs(maxFuture);
  if (!(maxFutureMs >= 0)) {
    throw new WindowSpecError(`maxFuture is ${String(maxFuture)}, but must be 0 or more, or "unbounded".`);
  }
  return Object.freeze({ kind: "event", timestamp, waitMs, maxFutureMs });
}

/** Not every source reports progress without an event, so a waiting window checks this often, ms. */
const LOOK_EVERY_MS = 1_000;

/** A clock that uses system time. */
export class SystemClock {
  readonly kind = "system";
  readonly settleMs: number;

  constructor(settleMs: number) {
    this.settleMs = settleMs;
  }

  /** Up to which close (ms) windows are due at system time `now`. */
  watermarkAt(now: number, settledUpTo: () => number): number {
    if (this.settleMs === 0) return now;
    return Math.max(now - this.settleMs, Math.min(now, settledUpTo()));
  }

  /** When (system time, ms) to check whether the watermark has reached `target`; `lookedAt` is the last check. */
  wakeFor(target: number, lookedAt: number, settledUpTo: number): number {
    const close = Math.ceil(target);
    if (lookedAt < close || settledUpTo >= target) return close;
    return Math.min(close + this.settleMs, lookedAt + LOOK_EVERY_MS);
  }
}

const ISO_WITH_ZONE = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;

/** A timestamp in milliseconds since the epoch; NaN if it is invalid. */
export function timeOf(timestamp: unknown): number {
  if (typeof timestamp === "number") return timestamp;
  if (timestamp instanceof Date) return timestamp.getTime();
  // Without a zone the time would depend on where the process runs.
  return typeof timestamp === "string" && ISO_WITH_ZONE.test(timestamp) ? Date.parse(timestamp) : Number.NaN;
}
