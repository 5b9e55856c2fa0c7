import type { CustomWindower } from "./custom-windower.ts";
import type { Duration } from "./duration.ts";
import { WindowSpecError } from "./errors.ts";
import { FixedWindower } from "./fixed-windower.ts";
import { requireMs } from "./duration.ts";

/** The windowers of this library: made by {@link tumbling}, {@link sliding} or {@link session}. */
export type BuiltInWindower = FixedWindower | SessionWindower;

/** What divides time into windows. */
export type Windower = BuiltInWindower | CustomWindower;

/** What divides sessions. */
export interface SessionWindower {
  readonly kind: "session";
  /** The longest pause in ms between two events of one session, inclusive. */
  readonly gapMs: number;
}

/** Where windows begin. */
export interface TumblingOptions {
  /** Any instant (ms since the epoch) at which window 0 opens. @default 0 */
  readonly alignTo?: number;
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
 * @param length of each window: whole milliseconds, at least 1
 * @throws WindowSpecError, DurationError
 * @example tumbling("5s")
 */
export function tumbling(length: Duration, { alignTo = 0 }: TumblingOptions = {}): FixedWindower {
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
export function sliding(length: Duration, { every, alignTo = 0 }: SlidingOptions): FixedWindower {
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
export function session(gap: Duration): SessionWindower {
  return Object.freeze({ kind: "session", gapMs: requireMs(gap, "gap", 0) });
}

function requireInstant(alignTo: number): number {
  if (Number.isSafeInteger(alignTo)) return alignTo;
  throw new WindowSpecError(`alignTo is ${String(alignTo)}, but must be a whole number of milliseconds.`);
}
