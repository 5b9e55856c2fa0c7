import type { HeapItem } from "../due-heap.ts";
import { NO_IDS, type WindowId } from "../window.ts";
import type { KeyClock } from "./key-clock.ts";
import { KeyQueue, type QueueBounds } from "./key-queue.ts";
import type { KeySessions } from "./key-sessions.ts";

/** A key's accumulator in one window. */
export interface KeyCell<A> {
  accumulator: A;
  /** How many of its rows have been emitted. */
  rows: number;
  /** The mark of the last row, taken at the first change after it. */
  sent: unknown;
  /** Events left out because the queue was full. */
  leftOut: number;
  /** Whether it changed since its last row. */
  touched: boolean;
  /** Ids of merged sessions whose rows were emitted and are not yet reported as void. */
  replaces: readonly WindowId[];
  /** Whether a snapshot stored parts of the accumulator. */
  persistedParts: boolean;
}

export function newCell<A>(accumulator: A): KeyCell<A> {
  return {
    accumulator,
    rows: 0,
    sent: undefined,
    leftOut: 0,
    touched: false,
    replaces: NO_IDS,
    persistedParts: false,
  };
}

/** What `finish` closed of a key: everything that became due between the two watermarks has this cause. */
export interface KeyEnd {
  readonly from: number;
  readonly to: number;
  readonly cause: "end" | "drain";
}

/** The state of one key with windows or waiting events. */
export class KeyState<V, A> implements HeapItem {
  readonly key: string;
  readonly order: number;
  readonly clock: KeyClock;
  /** The instant at which the watermark makes something due; Infinity = only an event can. */
  due: number = Number.POSITIVE_INFINITY;
  slot = -1;
  ended: KeyEnd | undefined;
  readonly cells = new Map<number, KeyCell<A>>();
  readonly queue: KeyQueue<V>;
  /** Absent for tumbling and sliding windows. */
  readonly sessions: KeySessions | undefined;
  /** The lowest close of the tumbling or sliding windows held. */
  firstClose: number = Number.POSITIVE_INFINITY;
  /** Closed windows whose accumulators have stored parts. */
  gone: number[] = [];

  constructor(
    key: string,
    order: number,
    clock: KeyClock,
    sessions: KeySessions | undefined,
    bounds: QueueBounds,
  ) {
    this.key = key;
    this.order = order;
    this.clock = clock;
    this.sessions = sessions;
    this.queue = new KeyQueue(bounds);
  }

  get idle(): boolean {
    return this.cells.size + this.queue.size === 0;
  }

  /** Forgets a window. */
  removeCell(id: number): void {
    if (this.cells.get(id)?.persistedParts === true) this.gone.push(id);
    this.cells.delete(id);
  }
}

/**
 * A key without windows: its clock, so that an event of a closed window is late, and the number of its next session.
 * Resting keys are forgotten in order of `due`, which is the floor of the clock.
 */
export class RestingKey implements HeapItem {
  readonly key: string;
  readonly order: number;
  readonly clock: KeyClock;
  readonly nextId: number | undefined;
  due: number;
  slot = -1;

  constructor(key: string, order: number, clock: KeyClock, nextId: number | undefined) {
    this.key = key;
    this.order = order;
    this.clock = clock;
    this.nextId = nextId;
    this.due = clock.floor;
  }
}
