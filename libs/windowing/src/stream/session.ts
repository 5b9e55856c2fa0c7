import type { HeapItem } from "../due-heap.ts";
import { NO_IDS, type Window, type WindowId } from "../window.ts";

/** One session of a key: open, due or kept. */
export class Session<A> implements HeapItem {
  readonly key: string;
  /** Unique in its engine: the time of the event that opened it, and a serial number. */
  readonly id: string;
  /** The serial number. */
  readonly order: number;
  open: number;
  last: number;
  accumulator: A;
  /** When it was last known to be due: a lower bound while events extend it. */
  due: number;
  slot = -1;
  /** Whether its closing row was emitted; late events may still change it. */
  kept = false;
  /** How many of its rows were emitted. */
  rows = 0;
  /** The mark of the last row, taken at the first change after it. */
  sent: unknown;
  /** How many sessions were merged into it, and the ids of the first of them that had rows. */
  merged = 0;
  mergedIds: readonly WindowId[] = NO_IDS;
  /** Ids of merged sessions whose rows were emitted and are not yet reported as void. */
  replaces: readonly WindowId[] = NO_IDS;
  /** Whether a snapshot stored it, and parts of its accumulator. */
  persisted = false;
  persistedParts = false;

  constructor(
    key: string,
    order: number,
    first: number,
    accumulator: A,
    id = `${String(first)}.${String(order)}`,
  ) {
    this.key = key;
    this.id = id;
    this.order = order;
    this.open = first;
    this.last = first;
    this.accumulator = accumulator;
    this.due = first;
  }

  window(): Window {
    const { id, open, last: close, mergedIds, merged } = this;
    return merged === 0 ? { id, open, close, mergedIds } : { id, open, close, mergedIds, merged };
  }
}
