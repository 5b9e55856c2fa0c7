import { WindowSpecError } from "./errors.ts";
import { requireMs } from "./require-ms.ts";

/** What gives an event its timestamp and says how far time has come. */
export type Clock<V> = SystemClock | EventClock<V>;

/** How long a window on the system clock waits after its close. */
export interface SystemClockOptions {
  /**
   * How long (ms of system time) a window may wait after its close for news of all producers
   * (`WindowEngineOptions.settledUpTo`), so that its row can say whether it is complete. It is emitted when the news
   * is there, at the latest after this time. Events that arrive in between belong to later windows. @default 0
   */
  readonly settleMs?: number;
}

/** Not every source brings news that come without an event, so a window that waits for them looks so often, ms. */
const LOOK_EVERY_MS = 1_000;

/** An event's time is the system time at which it arrives: nothing is ever late. @throws WindowSpecError */
export class SystemClock {
  readonly kind = "system";
  readonly settleMs: number;

  constructor({ settleMs = 0 }: SystemClockOptions = {}) {
    this.settleMs = requireMs(settleMs, "settleMs", 0);
  }

  /** Up to when (ms) windows are due at system time `now`. */
  watermarkAt(now: number, settledUpTo: () => number): number {
    if (this.settleMs === 0) return now;
    return Math.max(now - this.settleMs, Math.min(now, settledUpTo()));
  }

  /** When (system time, ms) to look whether the watermark has come to `target`; `lookedAt` is when that was done last. */
  wakeFor(target: number, lookedAt: number, settledUpTo: number): number {
    const close = Math.ceil(target);
    if (lookedAt < close || settledUpTo >= target) return close;
    return Math.min(close + this.settleMs, lookedAt + LOOK_EVERY_MS);
  }
}

/** How an event tells its time, and how long to wait for others. */
export interface EventClockOptions<V> {
  /** Reads an event's time (ms since the epoch). @default the time of its message (`KeyedBatch.times`) */
  readonly timestamp?: (value: V) => number;
  /**
   * How far (ms) the watermark stays behind the latest timestamp, to wait for events out of order.
   * `"unbounded"`: nothing closes before the input ends.
   */
  readonly waitMs: number | "unbounded";
  /**
   * How far (ms) a timestamp may lie ahead of the event's arrival: the time of its message, where `timestamp` does
   * not read that very time and it is not in the future itself, else `now`. An event beyond it is refused, so that
   * one broken clock does not make all other events late. @default 300_000 (5 minutes)
   */
  readonly maxFutureMs?: number | "unbounded";
}

/** How far ahead of its arrival an event's time may lie unless an option says otherwise, ms. */
export const DEFAULT_MAX_FUTURE_MS = 300_000;

/** An event's time is told by the event. @throws WindowSpecError */
export class EventClock<V> {
  readonly kind = "event";
  /** Reads an event's time; undefined: the time of its message counts. */
  readonly timestamp: ((value: V) => number) | undefined;
  /** Infinity where the wait is unbounded. */
  readonly waitMs: number;
  /** Infinity where the future is unbounded. */
  readonly maxFutureMs: number;

  constructor({ timestamp, waitMs, maxFutureMs = DEFAULT_MAX_FUTURE_MS }: EventClockOptions<V>) {
    this.timestamp = timestamp;
    this.waitMs = waitMs === "unbounded" ? Number.POSITIVE_INFINITY : requireMs(waitMs, "waitMs", 0);
    this.maxFutureMs = maxFutureMs === "unbounded" ? Number.POSITIVE_INFINITY : maxFutureMs;
    if (!(this.maxFutureMs >= 0)) {
      throw new WindowSpecError(
        `maxFutureMs is ${String(maxFutureMs)}, but must be 0 or more milliseconds, or "unbounded".`,
      );
    }
  }
}
