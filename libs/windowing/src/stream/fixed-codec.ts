import { fieldFrom, listFrom, numberFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";
import type { Json } from "../json.ts";
import type { StateField } from "../window-engine.ts";
import type { FixedWindow } from "./fixed-window.ts";

/** Whether a saved cell's closing row is out. */
const WAITING = 0;
const OUT = 1;

/** A window's cells as fields of state. A cell whose row is out is one only where late events may change it. */
export class FixedCodec<V, A, R> {
  readonly #fold: Fold<V, A, R>;
  readonly #keeps: boolean;

  constructor(fold: Fold<V, A, R>, keeps: boolean) {
    this.#fold = fold;
    this.#keeps = keeps;
  }

  allCells(window: FixedWindow<A>): StateField[] {
    const fields: StateField[] = [];
    let index = 0;
    for (const [key, accumulator] of window.cells) {
      const out = window.kept || index++ < window.out;
      if (!out || this.#keeps) fields.push([key, this.#cellToJson(window, key, accumulator, out)]);
    }
    return fields;
  }

  changedCells(window: FixedWindow<A>): StateField[] {
    const fields: StateField[] = [];
    if (this.#keeps) for (const key of window.justOut) this.#addCell(fields, window, key, true);
    for (const key of window.changed ?? []) this.#addCell(fields, window, key, window.kept);
    return fields;
  }

  goneCells(window: FixedWindow<A>): readonly string[] {
    return this.#keeps ? [] : window.justOut;
  }

  allAfter(window: FixedWindow<A>): StateField[] {
    return Array.from(window.after ?? [], ([key, accumulator]) => [key, this.#fold.snapshot(accumulator)]);
  }

  changedAfter(window: FixedWindow<A>): StateField[] {
    return Array.from(window.changedAfter ?? [], (key) => [
      key,
      this.#fold.snapshot(window.after?.get(key) as A),
    ]);
  }

  /** Cells that had their row come first, so that their number says which they are. */
  restoreCells(window: FixedWindow<A>, fields: Iterable<StateField>): void {
    const waiting: [string, readonly Json[]][] = [];
    for (const [key, json] of fields) {
      const cell = listFrom(json);
      if ((cell[1] ?? WAITING) === WAITING) waiting.push([key, cell]);
      else this.#restoreCell(window, key, cell);
    }
    window.out = window.cells.size;
    for (const [key, cell] of waiting) this.#restoreCell(window, key, cell);
  }

  restoreAfter(window: FixedWindow<A>, fields: Iterable<StateField>): void {
    window.after = new Map();
    for (const [key, json] of fields) window.after.set(key, this.#fold.restore(json));
  }

  #addCell(fields: StateField[], window: FixedWindow<A>, key: string, out: boolean): void {
    fields.push([key, this.#cellToJson(window, key, window.cells.get(key) as A, out)]);
  }

  #cellToJson(window: FixedWindow<A>, key: string, accumulator: A, out: boolean): Json {
    const state = this.#fold.snapshot(accumulator);
    const rows = window.rows?.get(key) ?? (out ? 1 : 0);
    if (!out && rows === 0) return [state];
    const cell = [state, out ? OUT : WAITING, rows];
    const sent = window.sent?.get(key);
    return sent === undefined ? cell : [...cell, sent];
  }

  #restoreCell(window: FixedWindow<A>, key: string, cell: readonly Json[]): void {
    const [state, phase = WAITING, rows = 0, sent] = cell;
    window.cells.set(key, this.#fold.restore(fieldFrom(state)));
    const count = numberFrom(rows);
    if (count !== (phase === OUT ? 1 : 0)) window.setRows(key, count);
    if (sent !== undefined) window.note(key, sent);
  }
}
