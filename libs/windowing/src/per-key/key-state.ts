import type { HeapItem } from "../due-heap.ts";
import type { Json } from "../json.ts";
import { NO_IDS, type WindowId } from "../window.ts";
import { KeyQueue } from "./key-queue.ts";
import type { KeySessions } from "./key-sessions.ts";

/** A key's accumulator in one window. */
export interface KeyCell<A> {
  accumulator: A;
  /** How many of its rows are out. */
  rows: number;
  /** The mark of the last row, noted at the first change after it. */
  sent: Json | undefined;
  /** Whether it changed since the last early results. */
  touched: boolean;
  /** Ids of merged sessions whose rows are out and not yet called void. */
  replaces: readonly WindowId[];
  /** Whether a snapshot had parts of the accumulator. */
  persistedParts: boolean;
}

export function newCell<A>(accumulator: A): KeyCell<A> {
  return { accumulator, rows: 0, sent: undefined, touched: false, replaces: NO_IDS, persistedParts: false };
}

/** What `finish` closed of a key: all that became due between the two watermarks did so for this cause. */
export interface KeyEnd {
  readonly from: number;
  readonly to: number;
  readonly cause: "end" | "drain";
}

/** All that is held of one key in the time model `perKey`, its clock included. */
export class KeyState<V, A> implements HeapItem {
  readonly key: string;
  readonly order: number;
  /** System time at which the watermark brings something about; Infinity = only an event can. */
  due: number = Number.POSITIVE_INFINITY;
  slot = -1;
  /** The watermark when an event last raised it, and the system time of that. */
  base: number = Number.NEGATIVE_INFINITY;
  at = 0;
  ended: KeyEnd | undefined;
  readonly cells = new Map<number, KeyCell<A>>();
  readonly queue = new KeyQueue<V>();
  /** Absent for tumbling and sliding windows. */
  readonly sessions: KeySessions | undefined;
  /** The lowest close of a tumbling or sliding window held. */
  firstClose: number = Number.POSITIVE_INFINITY;
  persisted = false;
  /** Windows that are over, of whose accumulators parts were kept. */
  gone: number[] = [];

  constructor(key: string, order: number, sessions: KeySessions | undefined) {
    this.key = key;
    this.order = order;
    this.sessions = sessions;
  }

  /** Forgets a window. */
  removeCell(id: number): void {
    if (this.cells.get(id)?.persistedParts === true) this.gone.push(id);
    this.cells.delete(id);
  }

  /** The watermark advances with system time. */
  watermark(now: number): number {
    return this.base + (now - this.at);
  }

  rise(mark: number, now: number): void {
    this.base = mark;
    this.at = now;
  }

  /** The first whole ms of system time at which the watermark has reached `target`. */
  instantFor(target: number): number {
    if (this.base === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;
    const instant = Math.ceil(this.at + (target - this.base));
    // Sums of fractions round: one ms more is certain to arrive, where the same ms again would spin.
    return this.base + (instant - this.at) >= target ? instant : instant + 1;
  }
}
