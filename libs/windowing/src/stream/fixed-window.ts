import type { HeapItem } from "../due-heap.ts";
import type { OrdinalWindow } from "../window.ts";

/**
 * A window other than a session: open, then due while its closing rows are emitted, then kept while late events may
 * still change it.
 *
 * Nothing is deleted from `cells` while rows are emitted: a large map that shrinks is copied, which would block the
 * event loop. So the cursor is the number of rows emitted, in the map's own order.
 */
export class FixedWindow<A> implements HeapItem {
  readonly window: OrdinalWindow;
  /** Orders windows that close at the same time, and revisions. */
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
  /** Whether all closing rows were emitted: late events may change any cell. */
  kept = false;
  /** Late events that arrived while closing rows were being emitted: one revision each, once all are. */
  after: Map<string, A> | undefined;
  /** Number of emitted rows of a key, if it differs from what `kept` implies: one if kept, else none. */
  rows: Map<string, number> | undefined;
  /** The mark of a key's last row, taken at the first change after it. */
  sent: Map<string, unknown> | undefined;
  /** Keys changed since the last early result. */
  touched: Set<string> | undefined;
  /** Keys changed since the last snapshot, once snapshots are made. */
  changed: Set<string> | undefined;
  /** Keys of `after` changed since the last snapshot. */
  changedAfter: Set<string> | undefined;
  /** Keys whose closing row was emitted since the last snapshot, once snapshots are made. */
  justOut: string[] = [];
  /** Whether a snapshot stored this window, and its `after`. */
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

  /** Number of keys with events; a key whose late events wait in `after` may be in both. */
  get keys(): number {
    let keys = this.cells.size;
    for (const key of this.after?.keys() ?? []) if (!this.cells.has(key)) keys++;
    return keys;
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

  /** Whether the next change of a key makes it differ from its last row. */
  mustNote(key: string): boolean {
    return this.rowsOf(key) > 0 && this.sent?.has(key) !== true;
  }

  /** Takes the mark of the key's last row, so that the next one can have the previous value. */
  note(key: string, mark: unknown): void {
    this.sent ??= new Map();
    this.sent.set(key, mark);
  }
}
