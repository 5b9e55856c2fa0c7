import { at } from "./at.ts";
import { timeOf } from "./clock.ts";
import type { Clock, EventClock } from "./clock.ts";
import type { KeyedBatch } from "./window-engine.ts";
import type { RefusedEvent } from "./window-output.ts";

/** The range of `Date`, in which milliseconds are exact. */
export const MAX_TIME = 8.64e15;

/** Reads the timestamp of each event of a batch, or refuses the event. It allocates nothing per event. */
export class Timestamps<V> {
  /** Whether events carry their own time; else it is `now`. */
  readonly eventTime: boolean;
  /** How far the watermark stays below an event; Infinity if no event raises it. */
  readonly waitMs: number;
  readonly #read: EventClock<V>["timestamp"];
  readonly #maxFutureMs: number;
  #values: readonly V[] = [];
  #times: readonly number[] | undefined;
  #now = 0;
  /** The latest valid timestamp of an event whose arrival is unknown. */
  #limit = MAX_TIME;

  /** @param follows the watermark is that of the windows before, which have refused timestamps too far in the future */
  constructor(clock: Clock<V>, follows = false) {
    const bounded = clock.kind === "event" && !follows;
    this.eventTime = clock.kind === "event";
    this.waitMs = bounded ? clock.waitMs : Number.POSITIVE_INFINITY;
    this.#read = clock.kind === "event" ? clock.timestamp : undefined;
    this.#maxFutureMs = bounded ? clock.maxFutureMs : Number.POSITIVE_INFINITY;
  }

  begin(batch: KeyedBatch<V>, now: number): void {
    this.#values = batch.values;
    this.#times = batch.times;
    this.#now = now;
    this.#limit = Math.min(MAX_TIME, now + this.#maxFutureMs);
  }

  /** The timestamp of an event; NaN if it is refused. */
  at(index: number): number {
    if (!this.eventTime) return this.#now;
    const timestamp = this.#readTime(index);
    return Number.isFinite(timestamp) && timestamp >= -MAX_TIME && timestamp <= this.#limitOf(index)
      ? timestamp
      : Number.NaN;
  }

  /** The reason why `at` returned NaN. */
  refusal(key: string, index: number): RefusedEvent<V> {
    const timestamp = this.#readTime(index);
    const limit = this.#limitOf(index);
    const valid = Number.isFinite(timestamp) && Math.abs(timestamp) <= MAX_TIME;
    const reason = valid ? "future-timestamp" : "invalid-timestamp";
    return { key, value: at(this.#values, index), timestamp, reason, limit };
  }

  #readTime(index: number): number {
    if (this.#read !== undefined) {
      const time = this.#read(at(this.#values, index));
      return typeof time === "number" ? time : timeOf(time);
    }
    return this.#times?.[index] ?? Number.NaN;
  }

  /** A message's time that is the event's own, or lies in the future, does not show when the event arrived. */
  #limitOf(index: number): number {
    if (this.#times === undefined || this.#read === undefined) return this.#limit;
    const arrival = this.#times[index] ?? Number.NaN;
    return arrival < this.#now ? Math.min(MAX_TIME, arrival + this.#maxFutureMs) : this.#limit;
  }
}
