import { DueHeap } from "../due-heap.ts";
import { damaged, fieldFrom, listFrom, numberFrom } from "../fields.ts";
import type { FixedWindower } from "../fixed-windower.ts";
import type { Fold } from "../fold.ts";
import type { Json } from "../json.ts";
import type { StateChange, StateField } from "../window-engine.ts";
import { FixedWindow } from "./fixed-window.ts";

/** Whether the closing row of a saved cell is out. */
const WAITING = 0;
const KEPT = 1;

/** The windows held, in the order in which they become due, and what changed since the last snapshot. */
export class FixedTable<V, A, R> {
  /** Windows whose rows are not all out, first due first. */
  readonly due: DueHeap<FixedWindow<A>> = new DueHeap();
  /** Windows kept for late events, first freed first. */
  readonly kept: DueHeap<FixedWindow<A>> = new DueHeap();
  readonly #windows = new Map<number, FixedWindow<A>>();
  readonly #windower: FixedWindower;
  readonly #fold: Fold<V, A, R>;
  readonly #latenessMs: number;
  #tracking = false;
  #dropped: string[] = [];

  constructor(windower: FixedWindower, fold: Fold<V, A, R>, latenessMs: number) {
    this.#windower = windower;
    this.#fold = fold;
    this.#latenessMs = latenessMs;
  }

  get size(): number {
    return this.#windows.size;
  }

  get(id: number): FixedWindow<A> | undefined {
    return this.#windows.get(id);
  }

  values(): Iterable<FixedWindow<A>> {
    return this.#windows.values();
  }

  /** A window for events that may still come: due at its close. */
  open(id: number): FixedWindow<A> {
    const window = this.#create(id);
    this.due.push(window);
    return window;
  }

  /** A window that had closed before its first event came. */
  openKept(id: number): FixedWindow<A> {
    const window = this.#create(id);
    window.due = window.close + this.#latenessMs;
    this.kept.push(window);
    return window;
  }

  /** All rows are out: keeps the window while late events may change it, else frees it. */
  closed(window: FixedWindow<A>, watermark: number): void {
    this.due.remove(window);
    window.cursor = undefined;
    window.due = window.close + this.#latenessMs;
    if (this.#latenessMs > 0 && window.due > watermark) this.kept.push(window);
    else this.#free(window);
  }

  expire(watermark: number): void {
    for (
      let window = this.kept.peek();
      window !== undefined && window.due <= watermark;
      window = this.kept.peek()
    ) {
      this.kept.remove(window);
      this.#free(window);
    }
  }

  snapshot(): StateChange[] {
    const changes: StateChange[] = this.#dropped.map((group) => ({ group, drop: true }));
    this.#dropped = [];
    for (const window of this.#windows.values()) {
      const change = this.#tracking ? this.#changeOf(window) : this.#wholeOf(window);
      if (change !== undefined) changes.push(change);
      window.changed = emptied(window.changed);
      window.persisted = true;
    }
    this.#tracking = true;
    return changes;
  }

  restoreGroup(group: string, fields: Iterable<StateField>): void {
    const id = Number(group);
    if (!Number.isInteger(id)) damaged("a window's number as group", group);
    const window = new FixedWindow<A>(this.#windower.windowOf(id), id);
    for (const [key, cell] of fields) this.#restoreCell(window, key, listFrom(cell));
    if (window.cells === 0) return;
    window.persisted = true;
    window.changed = new Set();
    this.#windows.set(id, window);
    if (window.waiting.size > 0) this.due.push(window);
    else {
      window.due = window.close + this.#latenessMs;
      this.kept.push(window);
    }
    this.#tracking = true;
  }

  #create(id: number): FixedWindow<A> {
    const window = new FixedWindow<A>(this.#windower.windowOf(id), id);
    if (this.#tracking) window.changed = new Set();
    this.#windows.set(id, window);
    return window;
  }

  #free(window: FixedWindow<A>): void {
    this.#windows.delete(window.order);
    if (window.persisted) this.#dropped.push(String(window.order));
  }

  #wholeOf(window: FixedWindow<A>): StateChange {
    const put: StateField[] = [];
    for (const key of window.waiting.keys()) put.push([key, this.#cellToJson(window, key)]);
    for (const key of window.kept?.keys() ?? []) put.push([key, this.#cellToJson(window, key)]);
    return { group: String(window.order), put };
  }

  #changeOf(window: FixedWindow<A>): StateChange | undefined {
    const { changed } = window;
    if (changed === undefined || changed.size === 0) return undefined;
    const put: StateField[] = [];
    const gone: string[] = [];
    for (const key of changed) {
      if (window.has(key)) put.push([key, this.#cellToJson(window, key)]);
      else gone.push(key);
    }
    const group = String(window.order);
    if (gone.length === 0) return { group, put };
    return put.length === 0 ? { group, delete: gone } : { group, put, delete: gone };
  }

  #cellToJson(window: FixedWindow<A>, key: string): Json {
    const kept = window.kept?.has(key) === true;
    const accumulator = (kept ? window.kept?.get(key) : window.waiting.get(key)) as A;
    const state = this.#fold.snapshot(accumulator);
    const rows = window.rowsOf(key);
    if (!kept && rows === 0) return [state];
    const cell = [state, kept ? KEPT : WAITING, rows];
    const sent = window.sent?.get(key);
    return sent === undefined ? cell : [...cell, sent];
  }

  #restoreCell(window: FixedWindow<A>, key: string, cell: readonly Json[]): void {
    const [state, phase = WAITING, rows = 0, sent] = cell;
    const accumulator = this.#fold.restore(fieldFrom(state));
    if (phase === KEPT) {
      window.kept ??= new Map();
      window.kept.set(key, accumulator);
    } else window.waiting.set(key, accumulator);
    const count = numberFrom(rows);
    if (count !== window.rowsOf(key)) window.setRows(key, count);
    if (sent !== undefined) window.note(key, sent);
  }
}

function emptied(changed: Set<string> | undefined): Set<string> {
  if (changed === undefined) return new Set();
  changed.clear();
  return changed;
}
