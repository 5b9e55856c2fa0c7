import type { HeapItem } from "../due-heap.ts";
import type { OrdinalWindow } from "../window.ts";

/**
 * A window that is no session: open, then due while its closing rows go out, then kept while late events may
 * still change it.
 *
 * Nothing is deleted from `cells` while rows go out: a large map that shrinks is copied, which would hold up
 * everything else. So the cursor is the number of rows out, in the map's own order.
 */
export class FixedWindow<A> implements HeapItem {
  readonly window: OrdinalWindow;
  /** Windows that close at the same time, and revisions, go by their ids. */
  readonly order: number;
  readonly close: number;
  due: number;
  slot = -1;
  /** The accumulator of each key. */
  readonly cells = new Map<string, A>();
  /** How many of the cells have had their closing row, from the first one on. */
  out = 0;
  /** Where the last page ended. */
  cursor: Iterator<[string, A]> | undefined;
  /** Whether all closing rows are out: late events may change any cell. */
  kept = false;
  /** What late events came to while closing rows were still going out: a revision each, once they all are. */
  after: Map<string, A> | undefined;
  /** How many rows of a key are out, where that is not what `kept` says: one if so, else none. */
  rows: Map<string, number> | undefined;
  /** The mark of a key's last row, noted at the first change after it. */
  sent: Map<string, unknown> | undefined;
  /** Keys changed since the last early result. */
  touched: Set<string> | undefined;
  /** Keys changed since the last snapshot, once snapshots are taken. */
  changed: Set<string> | undefined;
  /** Keys of `after` changed since the last snapshot. */
  changedAfter: Set<string> | undefined;
  /** Keys whose closing row went out since the last snapshot, once snapshots are taken. */
  justOut: string[] = [];
  /** Whether a snapshot had this window, and its `after`. */
  persisted = false;
  persistedAfter = false;

  constructor(window: OrdinalWindow) {
    this.window = window;
    this.order = window.id;
    this.close = window.close;
    this.due = window.close;
  }

  get size(): number {
    return this.cells.size + (this.after?.size ?? 0);
  }

  has(key: string): boolean {
    return this.cells.has(key) || this.after?.has(key) === true;
  }

  rowsOf(key: string): number {
    return this.rows?.get(key) ?? (this.kept ? 1 : 0);
  }

  setRows(key: string, count: number): void {
    this.rows ??= new Map();
    this.rows.set(key, count);
  }

  /** Whether the next change to a key makes its last row differ from what it is. */
  mustNote(key: string): boolean {
    return this.rowsOf(key) > 0 && this.sent?.has(key) !== true;
  }

  /** Keeps the mark of the key's last row, so that the next one can say what it was. */
  note(key: string, mark: unknown): void {
    this.sent ??= new Map();
    this.sent.set(key, mark);
  }
}
