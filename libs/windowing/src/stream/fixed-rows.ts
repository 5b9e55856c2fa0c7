import type { Outbox } from "../outbox.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";
import type { Completeness, WindowCause, WindowResult } from "../window-output.ts";
import type { FixedWindow } from "./fixed-window.ts";

/** Makes the rows of tumbling and sliding windows, and moves keys on from waiting to kept or gone. */
export class FixedRows<V, A, R> {
  readonly #options: ResolvedOptions<V, A, R>;
  readonly #outbox: Outbox<V, R>;

  constructor(options: ResolvedOptions<V, A, R>, outbox: Outbox<V, R>) {
    this.#options = options;
    this.#outbox = outbox;
  }

  /** Closing rows of a window while the page has room; whether that was all of them. */
  addAllClosing(window: FixedWindow<A>, cause: WindowCause, kept: boolean): boolean {
    const { waiting } = window;
    const outbox = this.#outbox;
    if (this.#options.fold.match !== undefined) {
      // Its rows left as they matched.
      this.#retire(window, kept);
      return true;
    }
    if (waiting.size === 0) return true;
    if (outbox.room <= 0) return false;
    const complete = this.#completenessOf(window);
    if (outbox.room >= waiting.size && window.cursor === undefined) {
      outbox.room -= waiting.size;
      for (const [key, accumulator] of waiting) this.#addRow(window, key, accumulator, cause, complete);
      this.#retire(window, kept);
      return true;
    }
    window.cursor ??= waiting.entries();
    while (outbox.room > 0) {
      const next = window.cursor.next();
      if (next.done === true) break;
      const [key, accumulator] = next.value;
      outbox.room--;
      this.#addRow(window, key, accumulator, cause, complete);
      this.#moveOn(window, key, accumulator, kept);
    }
    return waiting.size === 0;
  }

  /** The closing row of one key, ahead of its page. */
  addClosing(window: FixedWindow<A>, key: string, cause: WindowCause): void {
    const accumulator = window.waiting.get(key) as A;
    if (this.#options.fold.match === undefined) {
      this.#addRow(window, key, accumulator, cause, this.#completenessOf(window));
    }
    this.#moveOn(window, key, accumulator, true);
  }

  addRevisions(window: FixedWindow<A>, keys: Iterable<string>): void {
    const complete = this.#completenessOf(window);
    for (const key of keys) {
      this.#addRow(window, key, window.kept?.get(key) as A, "late", complete);
      window.changed?.add(key);
    }
  }

  /** Rows of keys that changed since the last early result while the page has room; whether that was all. */
  addEarly(window: FixedWindow<A>): boolean {
    const { touched } = window;
    if (touched === undefined) return true;
    const complete = this.#completenessOf(window);
    for (const key of touched) {
      if (this.#outbox.room <= 0) return false;
      touched.delete(key);
      const accumulator = window.waiting.get(key);
      if (accumulator === undefined) continue;
      this.#outbox.room--;
      this.#addRow(window, key, accumulator, "early", complete);
      window.changed?.add(key);
    }
    window.touched = undefined;
    return true;
  }

  addMatch(window: FixedWindow<A>, key: string, accumulator: A): void {
    const value = this.#options.fold.match?.(accumulator);
    if (value === undefined) return;
    const revision = window.rowsOf(key);
    window.setRows(key, revision + 1);
    const complete = this.#completenessOf(window);
    this.#outbox.addResult({ key, value, window: window.window, revision, cause: "match", complete });
  }

  #addRow(
    window: FixedWindow<A>,
    key: string,
    accumulator: A,
    cause: WindowCause,
    complete: Completeness,
  ): void {
    const { fold } = this.#options;
    const value = fold.result(accumulator);
    const revision = window.rows === undefined && window.kept === undefined ? 0 : window.rowsOf(key);
    let row: WindowResult<R> = { key, value, window: window.window, revision, cause, complete };
    if (revision > 0) {
      const sent = window.sent?.get(key);
      row = {
        ...row,
        previous: sent === undefined ? fold.result(accumulator) : fold.result(fold.restore(sent)),
      };
      window.sent?.delete(key);
    }
    if (revision > 0 || cause === "early" || cause === "late") window.setRows(key, revision + 1);
    this.#outbox.addResult(row);
  }

  /** A key whose closing row is out. */
  #moveOn(window: FixedWindow<A>, key: string, accumulator: A, kept: boolean): void {
    window.waiting.delete(key);
    window.changed?.add(key);
    if (!kept) return;
    window.kept ??= new Map();
    window.kept.set(key, accumulator);
  }

  /** All keys at once: what was waiting is what is kept. */
  #retire(window: FixedWindow<A>, kept: boolean): void {
    if (!kept) return;
    const { waiting, changed } = window;
    if (changed !== undefined) for (const key of waiting.keys()) changed.add(key);
    if (window.kept === undefined) window.kept = waiting;
    else for (const [key, accumulator] of waiting) window.kept.set(key, accumulator);
    window.waiting = new Map();
  }

  #completenessOf({ window }: FixedWindow<A>): Completeness {
    return this.#options.completeOf(window.open, window.close);
  }
}
