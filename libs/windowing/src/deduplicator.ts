import { at } from "./at.ts";
import { DEFAULT_MAX_FUTURE_MS } from "./clock.ts";
import { toMs } from "./duration.ts";
import type { Duration } from "./duration.ts";
import { listFrom, numberFrom } from "./fields.ts";
import { WindowOptionsError } from "./errors.ts";
import { MAX_TIME } from "./timestamps.ts";
import type { StateChange, StateField, StateGroup } from "./window-engine.ts";

const IDS = "ids";
const COUNTS = "counts";

/** How long, and how many, ids are remembered. */
export interface DeduplicatorOptions {
  /** How long an id is remembered after it was first seen: duplicates within this time are dropped. */
  readonly within: Duration;
  /** Maximum number of ids remembered; above it the oldest one is forgotten early, which is counted. @default 1_000_000 */
  readonly maxIds?: number;
  /**
   * How far an event's time may be ahead of its arrival, or of `now` if the arrival is unknown. An event beyond it is
   * refused and its id not remembered, since it would make all ids expire. @default "5m"
   */
  readonly maxFuture?: Duration | "unbounded";
}

/** Events in columns: `ids[i]` identifies an event, `times[i]` (ms) is when it happened. */
export interface DeduplicatorBatch {
  readonly ids: readonly string[];
  /** @default `now` for all */
  readonly times?: readonly number[];
  /** System time (ms) at which each event's message arrived; NaN = unknown. @default unknown */
  readonly arrivals?: readonly number[];
}

/** Counts of the events: kept + dropped + refused = events given. */
export interface DeduplicatorStats {
  readonly kept: number;
  readonly dropped: number;
  /** Events whose time is invalid or too far ahead of their arrival. */
  readonly refused: number;
  /** Ids forgotten early because `maxIds` was reached: a duplicate of one of them would be kept. */
  readonly forgotten: number;
  readonly remembered: number;
}

/**
 * Drops events whose id was seen before, within a bounded time and with bounded memory. Like the window engine it is a
 * state machine: time is an argument and never decreases.
 */
export class Deduplicator {
  readonly #withinMs: number;
  readonly #maxIds: number;
  readonly #maxFutureMs: number;
  /** When each id was first seen, oldest first. */
  #seen = new Map<string, number>();
  /** An iterator at the oldest one: a new iterator would step over all deleted entries before it. */
  #oldest: Iterator<[string, number]> | undefined;
  #front: readonly [id: string, seen: number] | undefined;
  #time: number = Number.NEGATIVE_INFINITY;
  /** System time that passed while nothing ran, or that a step of the clock skipped: it is not counted. */
  #stoppedMs = 0;
  #kept = 0;
  #dropped = 0;
  #refused = 0;
  #forgotten = 0;
  #changed: Set<string> | undefined;

  /** @throws WindowOptionsError, DurationError */
  constructor({ within, maxIds = 1_000_000, maxFuture = DEFAULT_MAX_FUTURE_MS }: DeduplicatorOptions) {
    const withinMs = toMs(within);
    if (!(withinMs > 0) || !(maxIds >= 1)) {
      throw new WindowOptionsError(
        `within is ${String(within)} and maxIds ${String(maxIds)}, but both must be above 0.`,
      );
    }
    this.#withinMs = withinMs;
    this.#maxIds = maxIds;
    this.#maxFutureMs = maxFuture === "unbounded" ? Number.POSITIVE_INFINITY : toMs(maxFuture);
    if (!(this.#maxFutureMs >= 0)) {
      throw new WindowOptionsError(
        `maxFuture is ${String(maxFuture)}, but must be 0 or more, or "unbounded".`,
      );
    }
  }

  /** The indexes of the events that are seen for the first time. */
  process({ ids, times, arrivals }: DeduplicatorBatch, now: number): readonly number[] {
    const first: number[] = [];
    for (let i = 0; i < ids.length; i++) {
      const time = times === undefined ? now - this.#stoppedMs : at(times, i);
      if (times !== undefined && !this.#accepts(time, arrivals?.[i], now)) {
        this.#refused++;
        continue;
      }
      if (time > this.#time) this.#time = time;
      this.#expire();
      const id = at(ids, i);
      if (this.#seen.has(id)) {
        this.#dropped++;
        continue;
      }
      this.#remember(id);
      this.#kept++;
      first.push(i);
    }
    return first;
  }

  /** System time was set forward by this many ms, which have not passed: they are not counted as system time. */
  skipped(ms: number): void {
    this.#stoppedMs += ms;
  }

  /** The changes since the last call; everything, the first time. */
  snapshot(): readonly StateChange[] {
    const put: StateField[] = [];
    const gone: string[] = [];
    for (const id of this.#changed ?? this.#seen.keys()) {
      const seen = this.#seen.get(id);
      if (seen === undefined) gone.push(id);
      else put.push([id, seen]);
    }
    this.#changed = new Set();
    const counts = [
      this.#time === Number.NEGATIVE_INFINITY ? null : this.#time,
      this.#kept,
      this.#dropped,
      this.#forgotten,
      this.#refused,
    ];
    return [
      { group: IDS, put, delete: gone },
      { group: COUNTS, put: [["state", counts]] },
    ];
  }

  /**
   * Restores the state of an earlier one; only before the first event. If time is system time, the time between the last
   * snapshot and `now` is not counted.
   *
   * @throws WindowStateError
   */
  restore(state: Iterable<StateGroup>, now: number): void {
    for (const [group, fields] of state) {
      for (const [field, value] of fields) {
        if (group === IDS) this.#seen.set(field, numberFrom(value));
        else {
          const [time, kept, dropped, forgotten, refused = 0] = listFrom(value);
          this.#time = time === null ? Number.NEGATIVE_INFINITY : numberFrom(time);
          this.#kept = numberFrom(kept);
          this.#dropped = numberFrom(dropped);
          this.#forgotten = numberFrom(forgotten);
          this.#refused = numberFrom(refused);
        }
      }
    }
    if (this.#time !== Number.NEGATIVE_INFINITY) this.#stoppedMs = now - this.#time;
    // A store need not keep the order of fields.
    this.#seen = new Map([...this.#seen].sort(([, a], [, b]) => a - b));
    this.#changed = new Set();
  }

  /** The counts so far. */
  stats(): DeduplicatorStats {
    return {
      kept: this.#kept,
      dropped: this.#dropped,
      refused: this.#refused,
      forgotten: this.#forgotten,
      remembered: this.#seen.size,
    };
  }

  #accepts(time: number, arrival: number | undefined, now: number): boolean {
    const arrived = arrival !== undefined && arrival < now ? arrival : now;
    return Number.isFinite(time) && Math.abs(time) <= MAX_TIME && time <= arrived + this.#maxFutureMs;
  }

  #remember(id: string): void {
    if (this.#seen.size >= this.#maxIds) {
      this.#forgotten++;
      this.#forgetOldest();
    }
    this.#seen.set(id, this.#time);
    this.#changed?.add(id);
  }

  #expire(): void {
    while (this.#seen.size > 0) {
      const oldest = this.#peek();
      if (oldest === undefined || oldest[1] + this.#withinMs > this.#time) return;
      this.#forgetOldest();
    }
  }

  #forgetOldest(): void {
    const oldest = this.#peek();
    if (oldest === undefined) return;
    this.#front = undefined;
    this.#seen.delete(oldest[0]);
    this.#changed?.add(oldest[0]);
  }

  #peek(): readonly [id: string, seen: number] | undefined {
    if (this.#front !== undefined) return this.#front;
    this.#oldest ??= this.#seen.entries();
    let next = this.#oldest.next();
    if (next.done === true) {
      // An iterator that has reached its end stays there, although the map has grown since.
      this.#oldest = this.#seen.entries();
      next = this.#oldest.next();
    }
    if (next.done !== true) this.#front = next.value;
    return this.#front;
  }
}
