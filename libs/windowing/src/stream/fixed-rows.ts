import { matchOf, resultAt, withOverflow } from "../fold-state.ts";
import type { Outbox } from "../outbox.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";
import type { Completeness, WindowCause, WindowResult } from "../window-output.ts";
import type { FixedWindow } from "./fixed-window.ts";

/** Makes the rows of windows other than sessions. */
export class FixedRows<V, A, R> {
  readonly #options: ResolvedOptions<V, A, R>;
  readonly #outbox: Outbox<V, R>;

  constructor(options: ResolvedOptions<V, A, R>, outbox: Outbox<V, R>) {
    this.#options = options;
    this.#outbox = outbox;
  }

  /** Emits closing rows of a window while the page has room; returns whether that was all of them. */
  addClosing(window: FixedWindow<A>, cause: WindowCause): boolean {
    const { cells } = window;
    const outbox = this.#outbox;
    // Rows of matches were emitted when they matched.
    if (this.#options.fold.match !== undefined) window.out = cells.size;
    if (window.out === cells.size) return true;
    if (outbox.room <= 0) return false;
    const complete = this.#completenessOf(window);
    if (window.out === 0 && outbox.room >= cells.size) {
      outbox.room -= cells.size;
      for (const [key, accumulator] of cells) this.#addRow(window, key, accumulator, cause, complete);
      this.#allOut(window);
      return true;
    }
    window.cursor ??= entriesFrom(cells, window.out);
    while (outbox.room > 0) {
      const next = window.cursor.next();
      if (next.done === true) break;
      const [key, accumulator] = next.value;
      outbox.room--;
      this.#addRow(window, key, accumulator, cause, complete);
      window.out++;
      this.#noteOut(window, key);
    }
    return window.out === cells.size;
  }

  addRevisions(window: FixedWindow<A>, keys: Iterable<string>): void {
    const complete = this.#completenessOf(window);
    for (const key of keys) {
      this.#addRow(window, key, window.cells.get(key) as A, "late", complete);
      window.changed?.add(key);
    }
  }

  /** Emits rows of keys that changed since the last early result while the page has room; returns whether that was all. */
  addEarly(window: FixedWindow<A>): boolean {
    const { touched } = window;
    if (touched === undefined) return true;
    const complete = this.#completenessOf(window);
    for (const key of touched) {
      if (this.#outbox.room <= 0) return false;
      touched.delete(key);
      this.#outbox.room--;
      this.#addRow(window, key, window.cells.get(key) as A, "early", complete);
      window.changed?.add(key);
    }
    window.touched = undefined;
    return true;
  }

  addMatch(window: FixedWindow<A>, key: string, accumulator: A): void {
    const { fold } = this.#options;
    if (fold.match === undefined) return;
    const value = matchOf(fold, accumulator);
    if (value === undefined) return;
    const revision = window.rows?.get(key) ?? 0;
    window.setRows(key, revision + 1);
    const complete = this.#completenessOf(window);
    const row: WindowResult<R> = { key, value, window: window.window, revision, cause: "match", complete };
    this.#outbox.addResult(withOverflow(fold, accumulator, row));
  }

  #addRow(
    window: FixedWindow<A>,
    key: string,
    accumulator: A,
    cause: WindowCause,
    complete: Completeness,
  ): void {
    const { fold } = this.#options;
    const revision = window.rowsOf(key);
    const value = fold.result(accumulator);
    let row: WindowResult<R> = { key, value, window: window.window, revision, cause, complete };
    if (revision > 0) row = { ...row, previous: this.#previousOf(window, key, accumulator) };
    this.#outbox.addResult(withOverflow(fold, accumulator, row));
    // A first closing row needs no count: once all are out, each key has one.
    if (revision > 0 || cause === "early" || cause === "late") window.setRows(key, revision + 1);
  }

  /** The value of the key's last row. */
  #previousOf(window: FixedWindow<A>, key: string, accumulator: A): R {
    const sent = window.sent?.get(key);
    window.sent?.delete(key);
    return resultAt(this.#options.fold, accumulator, sent);
  }

  /** All at once: for a window that is dropped, no changes are recorded. */
  #allOut(window: FixedWindow<A>): void {
    window.out = window.cells.size;
    if (this.#options.allowedLatenessMs === 0) return;
    for (const key of window.cells.keys()) this.#noteOut(window, key);
  }

  #noteOut(window: FixedWindow<A>, key: string): void {
    if (window.changed === undefined) return;
    window.changed.delete(key);
    window.justOut.push(key);
  }

  #completenessOf({ window }: FixedWindow<A>): Completeness {
    return this.#options.completeOf(window.open, window.close);
  }
}

/** The entries of a map after the first few. */
function entriesFrom<K, T>(map: ReadonlyMap<K, T>, from: number): Iterator<[K, T]> {
  const entries = map.entries();
  for (let i = 0; i < from; i++) entries.next();
  return entries;
}
