import { at } from "../at.ts";
import type { FixedWindower } from "../fixed-windower.ts";
import { NO_IDS } from "../window.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";
import type { KeyedBatch, StateChange, StateField } from "../window-engine.ts";
import type { WindowCause } from "../window-output.ts";
import { FixedRows } from "./fixed-rows.ts";
import { FixedTable } from "./fixed-table.ts";
import { FixedWindow } from "./fixed-window.ts";
import { StreamEngine, type HeldState } from "./stream-engine.ts";

const NOWHERE = { id: 0, open: Number.POSITIVE_INFINITY, close: Number.NEGATIVE_INFINITY };

/** Tumbling and sliding windows in the time model `stream`. */
export class FixedEngine<V, A, R> extends StreamEngine<V, A, R> {
  readonly #windower: FixedWindower;
  readonly #table: FixedTable<V, A, R>;
  readonly #rows: FixedRows<V, A, R>;
  /** Whether an event does no more than change an accumulator: no late results, early results or matches. */
  readonly #plain: boolean;
  /** Windows that late events of this batch changed, with the keys. */
  readonly #revised = new Map<FixedWindow<A>, Set<string>>();
  /** Stands for "no window": no timestamp lies in it. */
  readonly #none = new FixedWindow<A>({ ...NOWHERE, mergedIds: NO_IDS }, 0);
  /** A watermark below this makes nothing due that could be emitted, and closes no window in use. */
  #gate = Number.POSITIVE_INFINITY;

  constructor(options: ResolvedOptions<V, A, R>, windower: FixedWindower) {
    super(options);
    const { fold, allowedLatenessMs, earlyEveryMs } = options;
    this.#windower = windower;
    this.#table = new FixedTable(windower, fold, allowedLatenessMs);
    this.#rows = new FixedRows(options, this.outbox);
    this.#plain =
      allowedLatenessMs === 0 && earlyEveryMs === Number.POSITIVE_INFINITY && fold.match === undefined;
  }

  protected override addBatch(batch: KeyedBatch<V>): void {
    if (!this.#plain) this.#addWithCare(batch);
    else if (this.#windower.kind === "tumbling") this.#addTumbling(batch);
    else this.#addSliding(batch);
  }

  /** The hot path. Per event: no allocation, no closure, and the window of the event before is at hand. */
  #addTumbling({ keys, values }: KeyedBatch<V>): void {
    const { timestamps, watermark, now } = this;
    const { fold } = this.options;
    const { waitMs } = timestamps;
    let counted = 0;
    let window = this.#none;
    let { open, close } = window.window;
    this.#gate = this.#nextGate();
    for (let i = 0; i < keys.length; i++) {
      const timestamp = timestamps.at(i);
      const mark = timestamp - waitMs;
      if (mark > watermark.value) {
        watermark.rise(mark, now);
        if (mark >= this.#gate) {
          this.emitDue();
          this.#gate = this.#nextGate();
          close = Number.NEGATIVE_INFINITY;
        }
      }
      if (!(timestamp >= open && timestamp < close)) {
        window = this.#findOpen(timestamp);
        ({ open, close } = window.window);
        if (window === this.#none) {
          this.#setAside(at(keys, i), at(values, i), i, timestamp);
          continue;
        }
      }
      const key = at(keys, i);
      const { cells } = window;
      const accumulator = cells.get(key);
      if (accumulator === undefined) this.#addFirst(window, key, at(values, i), timestamp);
      else {
        const next = fold.add(accumulator, at(values, i), timestamp);
        if (next !== accumulator) cells.set(key, next);
        window.changed?.add(key);
      }
      counted++;
    }
    this.outbox.counted += counted;
  }

  #addSliding({ keys, values }: KeyedBatch<V>): void {
    const { timestamps, watermark, now } = this;
    const { fold } = this.options;
    let windows: readonly FixedWindow<A>[] = [];
    let from = Number.POSITIVE_INFINITY;
    let until = Number.NEGATIVE_INFINITY;
    this.#gate = this.#nextGate();
    for (let i = 0; i < keys.length; i++) {
      const timestamp = timestamps.at(i);
      const key = at(keys, i);
      const mark = timestamp - timestamps.waitMs;
      if (mark > watermark.value) {
        watermark.rise(mark, now);
        if (mark >= this.#gate) {
          this.emitDue();
          this.#gate = this.#nextGate();
          until = Number.NEGATIVE_INFINITY;
        }
      }
      if (!(timestamp >= from && timestamp < until)) {
        windows = this.#findAllOpen(timestamp);
        until = Number.NEGATIVE_INFINITY;
        if (windows.length === 0) {
          this.#setAside(key, at(values, i), i, timestamp);
          continue;
        }
        [from, until] = this.#sliceAt(timestamp);
      }
      for (const window of windows) {
        const accumulator = window.cells.get(key);
        if (accumulator === undefined) this.#addFirst(window, key, at(values, i), timestamp);
        else {
          const next = fold.add(accumulator, at(values, i), timestamp);
          if (next !== accumulator) window.cells.set(key, next);
          window.changed?.add(key);
        }
      }
      this.outbox.counted++;
    }
  }

  /** Any windows, with late results, early results or matches. */
  #addWithCare({ keys, values }: KeyedBatch<V>): void {
    const { timestamps, watermark, now } = this;
    for (let i = 0; i < keys.length; i++) {
      const timestamp = timestamps.at(i);
      const key = at(keys, i);
      const value = at(values, i);
      const mark = timestamp - timestamps.waitMs;
      if (mark > watermark.value) {
        watermark.rise(mark, now);
        this.emitDue();
      }
      if (this.#addToEach(key, value, timestamp)) this.outbox.counted++;
      else this.#setAside(key, value, i, timestamp);
    }
  }

  /** Adds an event to those of its windows that are open or kept; false where there is none. */
  #addToEach(key: string, value: V, timestamp: number): boolean {
    const last = this.#windower.lastIdAt(timestamp);
    let counted = false;
    for (let id = this.#windower.firstIdAt(timestamp); id <= last; id++) {
      const close = this.#windower.closeOf(id);
      if (close > this.watermark.value)
        this.#addOpen(this.#table.get(id) ?? this.#table.open(id), key, value, timestamp);
      else if (close + this.options.allowedLatenessMs > this.watermark.value) {
        this.#addLate(this.#table.get(id) ?? this.#table.openKept(id), key, value, timestamp);
      } else continue;
      counted = true;
    }
    return counted;
  }

  #addOpen(window: FixedWindow<A>, given: string, value: V, timestamp: number): void {
    const key = window.cells.has(given) ? given : this.#admit(window, given);
    const next = this.#change(window, key, value, timestamp);
    if (this.options.earlyEveryMs !== Number.POSITIVE_INFINITY) {
      window.touched ??= new Set();
      window.touched.add(key);
      this.noteEarly();
    }
    this.#rows.addMatch(window, key, next);
  }

  #addLate(window: FixedWindow<A>, given: string, value: V, timestamp: number): void {
    const { fold } = this.options;
    const key = window.has(given) ? given : this.#admit(window, given);
    if (!window.kept) {
      // First results that wait for their page must not know of this event.
      window.after ??= new Map();
      window.after.set(key, fold.add(window.after.get(key) ?? fold.create(), value, timestamp));
      window.changedAfter?.add(key);
      return;
    }
    if (!window.cells.has(key)) window.setRows(key, 0);
    const next = this.#change(window, key, value, timestamp);
    if (fold.match === undefined) this.#revise(window, key);
    else this.#rows.addMatch(window, key, next);
  }

  /** Brings in what late events came to while closing rows went out. */
  #takeAfter(window: FixedWindow<A>): void {
    const { fold } = this.options;
    for (const [key, after] of window.after ?? []) {
      const before = window.cells.get(key);
      if (before === undefined) window.setRows(key, 0);
      else this.#noteBefore(window, key, before);
      window.cells.set(key, before === undefined ? after : fold.merge(before, after));
      window.changed?.add(key);
      this.#revise(window, key);
    }
    this.#table.afterTaken(window);
  }

  #change(window: FixedWindow<A>, key: string, value: V, timestamp: number): A {
    const { fold } = this.options;
    const known = window.cells.get(key);
    if (known !== undefined) this.#noteBefore(window, key, known);
    const next = fold.add(known ?? fold.create(), value, timestamp);
    window.cells.set(key, next);
    window.changed?.add(key);
    return next;
  }

  /** The first event of a key in an open window. */
  #addFirst(window: FixedWindow<A>, given: string, value: V, timestamp: number): void {
    const { fold } = this.options;
    const key = this.#admit(window, given);
    const accumulator = window.cells.get(key) ?? fold.create();
    window.cells.set(key, fold.add(accumulator, value, timestamp));
    window.changed?.add(key);
  }

  /** The key itself while the window has room for it. */
  #admit(window: FixedWindow<A>, key: string): string {
    const { maxKeysPerWindow, overflowKey } = this.options;
    if (window.size < maxKeysPerWindow) return key;
    const taken = window.has(overflowKey) ? window.size - 1 : window.size;
    if (taken < maxKeysPerWindow || key === overflowKey) return key;
    this.outbox.overflowed++;
    return overflowKey;
  }

  /** Rows of matches are each other's successors, not revisions: they need no previous value. */
  #noteBefore(window: FixedWindow<A>, key: string, accumulator: A): void {
    const { fold } = this.options;
    if (fold.match === undefined && window.mustNote(key)) window.note(key, fold.snapshot(accumulator));
  }

  #revise(window: FixedWindow<A>, key: string): void {
    const keys = this.#revised.get(window);
    if (keys === undefined) this.#revised.set(window, new Set([key]));
    else keys.add(key);
  }

  #setAside(key: string, value: V, index: number, timestamp: number): void {
    if (Number.isNaN(timestamp)) {
      this.outbox.addRefused(this.timestamps.refusal(key, index));
      return;
    }
    const windows = this.#windower.windowsAt(timestamp);
    this.outbox.addLate({ key, value, timestamp, watermark: this.watermark.value, windows });
  }

  /** The window of an event; none where it has closed, or where there is no timestamp. */
  #findOpen(timestamp: number): FixedWindow<A> {
    const id = this.#windower.lastIdAt(timestamp);
    return this.#windower.closeOf(id) > this.watermark.value ? this.#takeOpen(id) : this.#none;
  }

  #findAllOpen(timestamp: number): readonly FixedWindow<A>[] {
    const windows: FixedWindow<A>[] = [];
    const last = this.#windower.lastIdAt(timestamp);
    for (let id = this.#windower.firstIdAt(timestamp); id <= last; id++) {
      if (this.#windower.closeOf(id) > this.watermark.value) windows.push(this.#takeOpen(id));
    }
    return windows;
  }

  #takeOpen(id: number): FixedWindow<A> {
    const window = this.#table.get(id) ?? this.#table.open(id);
    if (window.close < this.#gate) this.#gate = window.close;
    return window;
  }

  /** The times around `timestamp` that lie in the same windows. */
  #sliceAt(timestamp: number): readonly [from: number, until: number] {
    const windower = this.#windower;
    const first = windower.firstIdAt(timestamp);
    const last = windower.lastIdAt(timestamp);
    return [
      Math.max(windower.openOf(last), windower.closeOf(first - 1)),
      Math.min(windower.openOf(last + 1), windower.closeOf(first)),
    ];
  }

  /** Without room on the page there is nothing to emit; windows in use lower the gate as they are taken. */
  #nextGate(): number {
    return this.outbox.room > 0
      ? (this.#table.due.peek()?.due ?? Number.POSITIVE_INFINITY)
      : Number.POSITIVE_INFINITY;
  }

  #causeOf(window: FixedWindow<A>): WindowCause {
    return this.causeOf((watermark) => window.close <= watermark);
  }

  protected override emitDue(): void {
    const { due } = this.#table;
    let window = due.peek();
    while (window !== undefined && window.due <= this.watermark.value) {
      if (!this.#rows.addClosing(window, this.#causeOf(window))) return;
      this.#table.closed(window, this.watermark.value);
      if (window.after !== undefined) this.#takeAfter(window);
      window = due.peek();
    }
  }

  protected override emitRevisions(): void {
    if (this.#revised.size === 0) return;
    const windows = [...this.#revised].sort(([a], [b]) => a.order - b.order);
    for (const [window, keys] of windows) this.#rows.addRevisions(window, keys);
    this.#revised.clear();
  }

  protected override emitEarly(): boolean {
    const windows = [...this.#table.values()].filter((window) => window.touched !== undefined);
    return windows.sort((a, b) => a.order - b.order).every((window) => this.#rows.addEarly(window));
  }

  protected override expire(): void {
    this.#table.expire(this.watermark.value);
  }

  protected override hasDue(): boolean {
    const window = this.#table.due.peek();
    return window !== undefined && window.due <= this.watermark.value;
  }

  protected override nextTarget(): number {
    const { due, kept } = this.#table;
    return Math.min(
      due.peek()?.due ?? Number.POSITIVE_INFINITY,
      kept.peek()?.due ?? Number.POSITIVE_INFINITY,
    );
  }

  protected override lastTarget(): number {
    let last = Number.NEGATIVE_INFINITY;
    for (const window of this.#table.values()) if (window.close > last) last = window.close;
    return last;
  }

  protected override held(): HeldState {
    let cells = 0;
    for (const window of this.#table.values()) cells += window.size;
    return { windows: this.#table.size, cells };
  }

  protected override snapshotWindows(): StateChange[] {
    return this.#table.snapshot();
  }

  protected override restoreGroup(group: string, fields: Iterable<StateField>): void {
    this.#table.restoreGroup(group, fields);
  }

  protected override restored(): void {
    this.#table.restored();
    if (this.options.earlyEveryMs === Number.POSITIVE_INFINITY) return;
    for (const window of this.#table.values()) {
      for (const key of window.cells.keys()) {
        if (window.rowsOf(key) > 0 && window.sent?.has(key) !== true) continue;
        window.touched ??= new Set();
        window.touched.add(key);
        this.noteEarly();
      }
    }
  }
}
