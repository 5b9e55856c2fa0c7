import { WindowSpecError } from "./errors.ts";
import { requireMs } from "./require-ms.ts";

/** What gives an event its timestamp and says how far time has come. */
export type Clock<V> = SystemClock | EventClock<V>;

/** An event's time is the system time at which it arrives: nothing is ever late. */
export class SystemClock {
  readonly kind = "system";
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
   * How far (ms) a timestamp may lie ahead of the event's arrival (its message's own time where known, else
   * `now`). Beyond it the event is refused, so that one broken clock does not make everybody else late.
   * @default Infinity
   */
  readonly maxFutureMs?: number;
}

/** An event's time is told by the event. @throws WindowSpecError */
export class EventClock<V> {
  readonly kind = "event";
  /** Reads an event's time; undefined: the time of its message counts. */
  readonly timestamp: ((value: V) => number) | undefined;
  /** Infinity where the wait is unbounded. */
  readonly waitMs: number;
  readonly maxFutureMs: number;

  constructor({ timestamp, waitMs, maxFutureMs = Number.POSITIVE_INFINITY }: EventClockOptions<V>) {
    this.timestamp = timestamp;
    this.waitMs = waitMs === "unbounded" ? Number.POSITIVE_INFINITY : requireMs(waitMs, "waitMs", 0);
    if (!(maxFutureMs >= 0)) {
      throw new WindowSpecError(`maxFutureMs is ${String(maxFutureMs)}, but must be 0 or more milliseconds.`);
    }
    this.maxFutureMs = maxFutureMs;
  }
}
