import type { HeapItem } from "../due-heap.ts";
import type { Json } from "../json.ts";
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
  /** Whether its closing row is out; late events may still change it. */
  kept = false;
  /** How many of its rows are out. */
  rows = 0;
  /** The mark of the last row, noted at the first change after it. */
  sent: Json | undefined;
  mergedIds: readonly WindowId[] = NO_IDS;
  /** Ids of merged sessions whose rows are out and not yet called void. */
  replaces: readonly WindowId[] = NO_IDS;
  /** Whether a snapshot had it, and parts of its accumulator. */
  persisted = false;
  persistedParts = false;
  /** The next session of the same key. */
  next: Session<A> | undefined;

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
    return { id: this.id, open: this.open, close: this.last, mergedIds: this.mergedIds };
  }
}
