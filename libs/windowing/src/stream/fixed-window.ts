import type { HeapItem } from "../due-heap.ts";
import type { Json } from "../json.ts";
import type { Window } from "../window.ts";

/**
 * A tumbling or sliding window that is open, due or kept. All is in `waiting` while the window is open; a row
 * that goes out leaves it, so what is left is the cursor of the pages still to come.
 */
export class FixedWindow<A> implements HeapItem {
  readonly window: Window;
  readonly order: number;
  readonly close: number;
  due: number;
  slot = -1;
  /** Accumulators of keys whose closing row is not out. */
  waiting = new Map<string, A>();
  /** Accumulators of keys whose closing row is out, while late events may still change them. */
  kept: Map<string, A> | undefined;
  /** How many rows of a key are out; absent: none of a waiting key, one of a kept key. */
  rows: Map<string, number> | undefined;
  /** What a key's accumulator was at its last row, noted at the first change after it. */
  sent: Map<string, Json> | undefined;
  /** Keys changed since the last early result. */
  touched: Set<string> | undefined;
  /** Keys changed since the last snapshot, once snapshots are taken. */
  changed: Set<string> | undefined;
  /** Whether a snapshot has told of this window. */
  persisted = false;
  /** Where the last page ended: a new iterator would step over every row that has left. */
  cursor: Iterator<[string, A]> | undefined;

  constructor(window: Window, order: number) {
    this.window = window;
    this.order = order;
    this.close = window.close;
    this.due = window.close;
  }

  get cells(): number {
    return this.waiting.size + (this.kept?.size ?? 0);
  }

  has(key: string): boolean {
    return this.waiting.has(key) || this.kept?.has(key) === true;
  }

  rowsOf(key: string): number {
    return this.rows?.get(key) ?? (this.kept?.has(key) === true ? 1 : 0);
  }

  setRows(key: string, count: number): void {
    this.rows ??= new Map();
    this.rows.set(key, count);
  }

  /** Whether the next change to a key makes its last row differ from what it is. */
  mustNote(key: string): boolean {
    return this.rowsOf(key) > 0 && this.sent?.has(key) !== true;
  }

  /** What the key's last row was made of, so that the next one can tell it. */
  note(key: string, state: Json): void {
    this.sent ??= new Map();
    this.sent.set(key, state);
  }
}
