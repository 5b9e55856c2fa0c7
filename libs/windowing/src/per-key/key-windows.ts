import { markOf, resultAt, withOverflow } from "../fold-state.ts";
import type { Outbox } from "../outbox.ts";
import type { PerKeyOptions } from "../window-engine-options.ts";
import type { WindowCause, WindowResult } from "../window-output.ts";
import { NO_IDS, type OrdinalWindow, type Window } from "../window.ts";
import { newCell, type KeyCell, type KeyState } from "./key-state.ts";

/** The windows of one key: events go in, rows come out. */
export class KeyWindows<V, A, R> {
  readonly #options: PerKeyOptions<V, A, R>;
  readonly #outbox: Outbox<V, R>;

  constructor(options: PerKeyOptions<V, A, R>, outbox: Outbox<V, R>) {
    this.#options = options;
    this.#outbox = outbox;
  }

  /**
   * Adds an event that is not late: to its windows or, if order matters and earlier events may still come, to the
   * queue.
   *
   * @param bytes of the event's JSON, if it may have to wait
   */
  add(state: KeyState<V, A>, value: V, timestamp: number, watermark: number, bytes: number): void {
    this.#replay(state, watermark);
    if (this.#options.ordered && timestamp > watermark) state.queue.push(timestamp, value, bytes);
    else this.#insert(state, value, timestamp);
  }

  /** Processes waiting events that the watermark has passed, and closes due windows while the page has room. */
  advance(state: KeyState<V, A>, watermark: number): void {
    this.#replay(state, watermark);
    if (!this.isReached(state, watermark)) return;
    const matches = this.#options.fold.match !== undefined;
    for (const window of this.#due(state, watermark)) {
      if (this.#outbox.room <= 0) break;
      const cell = state.cells.get(window.id);
      if (cell !== undefined && !matches) {
        this.#outbox.room--;
        this.#addRow(state, cell, window, this.#causeOf(state, window));
      }
      this.#remove(state, window.id);
      state.sessions?.remove(window.id);
      state.clock.floor = Math.max(state.clock.floor, Math.min(watermark, this.#overAt(window.close)));
    }
    state.firstClose = this.#firstClose(state);
  }

  /** Raises the watermark above every window and waiting event. */
  finish(state: KeyState<V, A>, time: number, cause: "end" | "drain"): void {
    const from = state.clock.watermark(time);
    this.#replay(state, Math.max(from, state.queue.last));
    const to = this.#lastTarget(state);
    if (to <= from) return;
    state.ended = { from, to, cause };
    state.clock.floor = to;
  }

  /** The watermark at which something is due next; Infinity = nothing. */
  nextTarget(state: KeyState<V, A>): number {
    const session = state.sessions?.nextDue();
    // A session is due when the watermark is past the gap: at the next whole ms.
    const close = session === undefined ? state.firstClose : session + 1;
    return Math.min(close, state.queue.first);
  }

  /** Whether a window is due. */
  isReached({ sessions, firstClose }: KeyState<V, A>, watermark: number): boolean {
    if (sessions === undefined) return firstClose <= watermark;
    const next = sessions.nextDue();
    return next !== undefined && watermark > next;
  }

  /** Emits early results of windows that changed, while the page has room; returns whether that was all. */
  emitEarly(state: KeyState<V, A>): boolean {
    for (const [id, cell] of state.cells) {
      const window = this.#windowOf(state, id);
      if (!cell.touched || window === undefined) continue;
      if (this.#outbox.room <= 0) return false;
      this.#outbox.room--;
      this.#addRow(state, cell, window, "early");
    }
    return true;
  }

  #replay(state: KeyState<V, A>, watermark: number): void {
    while (state.queue.first <= watermark) {
      const { timestamp, value, leftOut } = state.queue.shift();
      this.#insert(state, value, timestamp, leftOut);
    }
  }

  #insert(state: KeyState<V, A>, value: V, timestamp: number, leftOut = 0): void {
    const { windower } = this.#options;
    if (windower.kind !== "session") {
      const last = windower.lastIdAt(timestamp);
      for (let id = windower.firstIdAt(timestamp); id <= last; id++) {
        state.firstClose = Math.min(state.firstClose, windower.closeOf(id));
        this.#addTo(state, id, value, timestamp, leftOut);
      }
      return;
    }
    const { sessions } = state;
    if (sessions === undefined) return;
    this.#addTo(state, sessions.openFor(timestamp), value, timestamp, leftOut);
    for (const [from, into] of sessions.merge()) this.#merge(state, from, into);
  }

  #addTo(state: KeyState<V, A>, id: number, value: V, timestamp: number, leftOut: number): void {
    const { fold } = this.#options;
    let cell = state.cells.get(id);
    if (cell === undefined) {
      cell = newCell(fold.create());
      state.cells.set(id, cell);
    } else this.#note(cell);
    cell.accumulator = fold.add(cell.accumulator, value, timestamp);
    cell.leftOut += leftOut;
    this.#outbox.overflowedValues += leftOut;
    cell.touched = true;
    this.#addMatch(state, id, cell);
  }

  #addMatch(state: KeyState<V, A>, id: number, cell: KeyCell<A>): void {
    const { fold, completeOf } = this.#options;
    const value = fold.match?.(cell.accumulator);
    const window = value === undefined ? undefined : this.#windowOf(state, id);
    if (value === undefined || window === undefined) return;
    const complete = completeOf(window.open, window.close);
    const { key } = state;
    const row: WindowResult<R> = { key, value, window, revision: cell.rows++, cause: "match", complete };
    this.#outbox.addResult(withOverflow(fold, cell.accumulator, row, cell.leftOut));
  }

  #merge(state: KeyState<V, A>, from: number, into: number): void {
    const source = state.cells.get(from);
    const target = state.cells.get(into);
    if (source === undefined || target === undefined) return;
    this.#note(target);
    target.accumulator = this.#options.fold.merge(target.accumulator, source.accumulator);
    target.leftOut += source.leftOut;
    target.touched = true;
    const replaced = source.rows > 0 ? [from, ...source.replaces] : source.replaces;
    target.replaces = [...target.replaces, ...replaced];
    this.#remove(state, from);
    this.#addMatch(state, into, target);
  }

  #remove(state: KeyState<V, A>, id: number): void {
    const cell = state.cells.get(id);
    if (cell !== undefined) this.#options.fold.growth?.release(cell.accumulator);
    state.removeCell(id);
  }

  #note(cell: KeyCell<A>): void {
    const { fold } = this.#options;
    if (cell.rows > 0 && fold.match === undefined) cell.sent ??= markOf(fold, cell.accumulator);
  }

  #addRow(state: KeyState<V, A>, cell: KeyCell<A>, window: Window, cause: WindowCause): void {
    const { fold, completeOf } = this.#options;
    const { accumulator, rows, sent, replaces } = cell;
    const value = fold.result(accumulator);
    const complete = completeOf(window.open, window.close);
    let row: WindowResult<R> = { key: state.key, value, window, revision: rows, cause, complete };
    if (rows > 0) row = { ...row, previous: resultAt(fold, accumulator, sent) };
    if (replaces.length > 0) row = { ...row, replaces };
    cell.rows++;
    cell.sent = undefined;
    cell.touched = false;
    cell.replaces = NO_IDS;
    this.#outbox.addResult(withOverflow(fold, accumulator, row, cell.leftOut));
  }

  #causeOf({ ended }: KeyState<V, A>, { close }: Window): WindowCause {
    if (ended === undefined) return "watermark";
    return !this.#isDue(close, ended.from) && this.#isDue(close, ended.to) ? ended.cause : "watermark";
  }

  #isDue(close: number, watermark: number): boolean {
    const { windower } = this.#options;
    return windower.kind === "session" ? watermark > close + windower.gapMs : close <= watermark;
  }

  /** The first whole watermark at which a window with this close is due. */
  #overAt(close: number): number {
    const { windower } = this.#options;
    return windower.kind === "session" ? close + windower.gapMs + 1 : close;
  }

  /** Windows that are due, in order of (close, id). */
  #due({ cells, sessions }: KeyState<V, A>, watermark: number): readonly OrdinalWindow[] {
    const { windower } = this.#options;
    const due =
      windower.kind === "session"
        ? (sessions?.due(watermark) ?? [])
        : Array.from(cells.keys(), (id) => windower.windowOf(id)).filter(({ close }) => close <= watermark);
    return due.sort((a, b) => a.close - b.close || a.id - b.id);
  }

  #windowOf({ sessions }: KeyState<V, A>, id: number): Window | undefined {
    const { windower } = this.#options;
    return windower.kind === "session" ? sessions?.windowOf(id) : windower.windowOf(id);
  }

  #firstClose({ cells }: KeyState<V, A>): number {
    const { windower } = this.#options;
    if (windower.kind === "session") return Number.POSITIVE_INFINITY;
    let first = Number.POSITIVE_INFINITY;
    for (const id of cells.keys()) first = Math.min(first, windower.closeOf(id));
    return first;
  }

  #lastTarget(state: KeyState<V, A>): number {
    let last = Number.NEGATIVE_INFINITY;
    for (const id of state.cells.keys()) {
      const window = this.#windowOf(state, id);
      if (window !== undefined) last = Math.max(last, this.#overAt(window.close));
    }
    return last;
  }
}
