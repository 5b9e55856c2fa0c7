import { markOf } from "../fold-state.ts";
import type { Outbox } from "../outbox.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";
import type { FixedRows } from "./fixed-rows.ts";
import type { FixedWindow } from "./fixed-window.ts";

/** Adds events to the cells of windows, and emits the rows that follow at once. */
export class FixedCells<V, A, R> {
  readonly #options: ResolvedOptions<V, A, R>;
  readonly #outbox: Outbox<V, R>;
  readonly #rows: FixedRows<V, A, R>;
  /** Windows that late events of this batch changed, with their keys. */
  readonly #revised = new Map<FixedWindow<A>, Set<string>>();

  /** Cells held at the start of the batch, and those added since. */
  #held = 0;

  constructor(options: ResolvedOptions<V, A, R>, outbox: Outbox<V, R>, rows: FixedRows<V, A, R>) {
    this.#options = options;
    this.#outbox = outbox;
    this.#rows = rows;
  }

  /** Starts a batch; this many cells are held. */
  begin(held: number): void {
    this.#held = held;
  }

  addOpen(window: FixedWindow<A>, given: string, value: V, timestamp: number): void {
    const key = window.cells.has(given) ? given : this.#admit(window, given);
    const next = this.#change(window, key, value, timestamp);
    this.#noteOverflow(given, key);
    if (this.#options.earlyEveryMs !== Number.POSITIVE_INFINITY) {
      window.touched ??= new Set();
      window.touched.add(key);
    }
    this.#rows.addMatch(window, key, next);
  }

  addLate(window: FixedWindow<A>, given: string, value: V, timestamp: number): void {
    const { fold } = this.#options;
    const key = window.has(given) ? given : this.#admit(window, given);
    if (!window.kept) {
      // First results that wait for their page must not include this event.
      const next = fold.add(window.after?.get(key) ?? fold.create(), value, timestamp);
      window.after ??= new Map();
      window.after.set(key, next);
      window.changedAfter?.add(key);
      this.#noteOverflow(given, key);
      return;
    }
    const isNew = !window.cells.has(key);
    const next = this.#change(window, key, value, timestamp);
    if (isNew) window.setRows(key, 0);
    this.#noteOverflow(given, key);
    if (fold.match === undefined) this.#revise(window, key);
    else this.#rows.addMatch(window, key, next);
  }

  /** All first results of a window are out: adds the late events of that time. False if there were none. */
  takeAfter(window: FixedWindow<A>): boolean {
    const { fold } = this.#options;
    if (window.after === undefined) return false;
    for (const [key, after] of window.after) {
      const before = window.cells.get(key);
      if (before === undefined) window.setRows(key, 0);
      else this.#noteBefore(window, key, before);
      // Merged into a new one, too: its parts must be stored under another name.
      window.cells.set(key, fold.merge(before ?? fold.create(), after));
      window.changed?.add(key);
      this.#revise(window, key);
    }
    return true;
  }

  /** Emits one revision for each key that late events changed, in order of the windows. */
  emitRevisions(): void {
    if (this.#revised.size === 0) return;
    const windows = [...this.#revised].sort(([a], [b]) => a.order - b.order);
    for (const [window, keys] of windows) this.#rows.addRevisions(window, keys);
    this.#revised.clear();
  }

  #change(window: FixedWindow<A>, key: string, value: V, timestamp: number): A {
    const { fold } = this.#options;
    const known = window.cells.get(key);
    if (known !== undefined) this.#noteBefore(window, key, known);
    const next = fold.add(known ?? fold.create(), value, timestamp);
    window.cells.set(key, next);
    window.changed?.add(key);
    return next;
  }

  /** The first event of a key in an open window. */
  addFirst(window: FixedWindow<A>, given: string, value: V, timestamp: number): void {
    const { fold } = this.#options;
    const key = this.#admit(window, given);
    const accumulator = window.cells.get(key) ?? fold.create();
    window.cells.set(key, fold.add(accumulator, value, timestamp));
    window.changed?.add(key);
    this.#noteOverflow(given, key);
  }

  /** The key itself while the window has room for it. */
  #admit(window: FixedWindow<A>, key: string): string {
    const { maxKeysPerWindow, maxKeys, overflowKey } = this.#options;
    if (this.#held >= maxKeys) return overflowKey;
    this.#held++;
    if (window.size < maxKeysPerWindow) return key;
    const taken = window.has(overflowKey) ? window.size - 1 : window.size;
    return taken < maxKeysPerWindow ? key : overflowKey;
  }

  #noteOverflow(given: string, key: string): void {
    if (given !== key) this.#outbox.overflowed++;
  }

  /** Rows of matches follow each other and are no revisions: they need no previous value. */
  #noteBefore(window: FixedWindow<A>, key: string, accumulator: A): void {
    const { fold } = this.#options;
    if (fold.match === undefined && window.mustNote(key)) window.note(key, markOf(fold, accumulator));
  }

  #revise(window: FixedWindow<A>, key: string): void {
    const keys = this.#revised.get(window);
    if (keys === undefined) this.#revised.set(window, new Set([key]));
    else keys.add(key);
  }
}
