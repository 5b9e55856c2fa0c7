import { at } from "../at.ts";
import { lateEvent } from "../late-events.ts";
import { NO_IDS } from "../window.ts";
import { latest, type HeldWindow } from "../open-windows.ts";
import type { Outbox } from "../outbox.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";
import type { KeyedBatch, StateChange, StateField } from "../window-engine.ts";
import type { WindowCause } from "../window-output.ts";
import { FixedCells } from "./fixed-cells.ts";
import { FixedRows } from "./fixed-rows.ts";
import { FixedTable, type WindowNames } from "./fixed-table.ts";
import { FixedWindow } from "./fixed-window.ts";
import { StreamEngine, type HeldState } from "./stream-engine.ts";

const NOWHERE = { id: 0, open: Number.POSITIVE_INFINITY, close: Number.NEGATIVE_INFINITY };

/** Windows that depend on an event's time alone, in the time model `stream`. */
export abstract class AssignedEngine<V, A, R> extends StreamEngine<V, A, R> {
  protected readonly table: FixedTable<V, A, R>;
  protected readonly cells: FixedCells<V, A, R>;
  /** Stands for "no window": it contains no timestamp. */
  protected readonly none: FixedWindow<A> = new FixedWindow<A>({ ...NOWHERE, mergedIds: NO_IDS });
  readonly #rows: FixedRows<V, A, R>;
  /** Whether an event only changes an accumulator: no late results, early results or matches. */
  readonly #plain: boolean;
  /** Whether open windows may have had early rows, so that later rows are revisions of them. */
  #shown = false;
  /** Windows that the current event has entered. */
  #entered = 0;

  constructor(options: ResolvedOptions<V, A, R>, outbox: Outbox<V, R>, names: WindowNames) {
    super(options, outbox);
    const { fold, allowedLatenessMs, earlyEveryMs } = options;
    this.table = new FixedTable(names, options);
    this.#rows = new FixedRows(options, this.outbox);
    this.cells = new FixedCells(options, this.outbox, this.#rows);
    this.#plain =
      allowedLatenessMs === 0 && earlyEveryMs === Number.POSITIVE_INFINITY && fold.match === undefined;
  }

  /** `addFrom` for events that only change accumulators. */
  protected abstract addPlain(batch: KeyedBatch<V>, from: number): number;
  /** The open window of an event; none if it has closed, or without a timestamp. */
  protected abstract findOpen(timestamp: number): FixedWindow<A>;
  /** Adds an event to those of its windows that are open or kept, with `addToOpen` and `addToKept`. */
  protected abstract addToEach(key: string, value: V, timestamp: number): void;

  protected override addFrom(batch: KeyedBatch<V>, from: number): number {
    if (this.#shown) this.#shown = this.#hasRows();
    if (this.options.maxKeys !== Number.POSITIVE_INFINITY) this.cells.begin(this.held().cells);
    return this.#plain && !this.#shown ? this.addPlain(batch, from) : this.addWithCare(batch, from);
  }

  /**
   * The hot path, for windows that do not overlap. Per event: no allocation, no closure, and the window of the previous
   * event is reused. It is still open, since an event that raises the watermark above its close is beyond it itself.
   */
  protected addSideBySide(batch: KeyedBatch<V>, from: number): number {
    const { keys, values } = batch;
    const { timestamps, watermark, now } = this;
    const { fold } = this.options;
    const { waitMs } = timestamps;
    let counted = 0;
    let window = this.none;
    let { open, close } = window.window;
    let i = from;
    try {
      for (; i < keys.length; i++) {
        const timestamp = timestamps.at(i);
        const mark = timestamp - waitMs;
        if (mark > watermark.value) watermark.rise(mark, now);
        if (!(timestamp >= open && timestamp < close)) {
          window = this.findOpen(timestamp);
          ({ open, close } = window.window);
          if (window === this.none) {
            this.setAside(at(keys, i), at(values, i), i, timestamp);
            continue;
          }
        }
        const key = at(keys, i);
        const { cells } = window;
        const accumulator = cells.get(key);
        if (accumulator === undefined) this.cells.addFirst(window, key, at(values, i), timestamp);
        else {
          const next = fold.add(accumulator, at(values, i), timestamp);
          if (next !== accumulator) cells.set(key, next);
          window.changed?.add(key);
        }
        counted++;
      }
    } catch (error) {
      this.skip(batch, i++, error, false);
    } finally {
      this.outbox.counted += counted;
    }
    return i;
  }

  /** The general path: any windows, with late results, early results or matches. */
  protected addWithCare(batch: KeyedBatch<V>, from: number): number {
    const { keys, values } = batch;
    const { timestamps, watermark, now } = this;
    let i = from;
    this.#entered = 0;
    try {
      for (; i < keys.length; i++) {
        const timestamp = timestamps.at(i);
        const mark = timestamp - timestamps.waitMs;
        if (mark > watermark.value) {
          watermark.rise(mark, now);
          this.closeDue();
        }
        this.addToEach(at(keys, i), at(values, i), timestamp);
        if (this.#entered > 0) this.outbox.counted++;
        else this.setAside(at(keys, i), at(values, i), i, timestamp);
        this.#entered = 0;
      }
    } catch (error) {
      this.skip(batch, i++, error, this.#entered > 0);
    }
    return i;
  }

  protected addToOpen(window: FixedWindow<A>, key: string, value: V, timestamp: number): void {
    this.cells.addOpen(window, key, value, timestamp);
    if (this.options.earlyEveryMs !== Number.POSITIVE_INFINITY) this.noteEarly();
    this.#entered++;
  }

  protected addToKept(window: FixedWindow<A>, key: string, value: V, timestamp: number): void {
    this.cells.addLate(window, key, value, timestamp);
    this.#entered++;
  }

  protected setAside(key: string, value: V, index: number, timestamp: number): void {
    if (Number.isNaN(timestamp)) {
      this.outbox.addRefused(this.timestamps.refusal(key, index));
      return;
    }
    const { value: watermark } = this.watermark;
    this.outbox.addLate(lateEvent(this.options.windower, { key, value, timestamp, watermark }));
  }

  #causeOf(window: FixedWindow<A>): WindowCause {
    return this.causeOf((watermark) => window.close <= watermark);
  }

  protected override emitDue(): void {
    const { due } = this.table;
    let window = due.peek();
    while (window !== undefined && window.due <= this.watermark.value) {
      if (!this.#rows.addClosing(window, this.#causeOf(window))) return;
      this.table.closed(window, this.watermark.value);
      if (this.cells.takeAfter(window)) this.table.afterTaken(window);
      window = due.peek();
    }
  }

  protected override emitRevisions(): void {
    this.cells.emitRevisions();
  }

  protected override touchOpen(): void {
    for (const window of this.table.values()) {
      if (window.kept || window.close <= this.watermark.value) continue;
      for (const key of window.cells.keys()) {
        if (window.rowsOf(key) > 0 && window.sent?.has(key) !== true) continue;
        window.touched ??= new Set();
        window.touched.add(key);
        this.noteEarly();
      }
    }
    this.#shown = this.#plain;
  }

  protected override emitEarly(): boolean {
    const windows = [...this.table.values()].filter((window) => window.touched !== undefined);
    return windows.sort((a, b) => a.order - b.order).every((window) => this.#rows.addEarly(window));
  }

  override openWindows(limit: number): readonly HeldWindow[] {
    return latest(this.table.due, limit, ({ close }) => close).map(({ window, keys }) => ({
      window,
      key: undefined,
      keys,
    }));
  }

  override finalUpTo(): number {
    const window = this.table.due.peek();
    const { value } = this.watermark;
    return window === undefined || window.due > value ? value : window.due - 1;
  }

  protected override expire(): void {
    this.table.expire(this.watermark.value);
  }

  protected override hasDue(): boolean {
    const window = this.table.due.peek();
    return window !== undefined && window.due <= this.watermark.value;
  }

  protected override nextTarget(): number {
    const { due, kept } = this.table;
    return Math.min(
      due.peek()?.due ?? Number.POSITIVE_INFINITY,
      kept.peek()?.due ?? Number.POSITIVE_INFINITY,
    );
  }

  protected override lastTarget(): number {
    let last = Number.NEGATIVE_INFINITY;
    for (const window of this.table.values()) if (window.close > last) last = window.close;
    return last;
  }

  protected override held(): HeldState {
    let cells = 0;
    for (const window of this.table.values()) cells += window.size;
    return { windows: this.table.size, cells };
  }

  protected override snapshotWindows(): StateChange[] {
    return this.table.snapshot();
  }

  protected override restoreGroup(group: string, fields: Iterable<StateField>): void {
    this.table.restoreGroup(group, fields);
  }

  protected override restored(): void {
    this.table.restored();
    this.#shown = this.#plain && this.#hasRows();
  }

  #hasRows(): boolean {
    for (const { rows } of this.table.values()) if (rows !== undefined) return true;
    return false;
  }
}
