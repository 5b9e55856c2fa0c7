import { listFrom, numberFrom } from "../fields.ts";
import type { Fold, FoldPart } from "../fold.ts";
import {
  fieldName,
  markFromJson,
  markToJson,
  restoreAccumulator,
  snapshotOf,
  splitFieldName,
} from "../fold-state.ts";
import type { Json } from "../json.ts";
import type { Room } from "../room.ts";
import type { StateField } from "../window-engine.ts";
import type { FixedWindow } from "./fixed-window.ts";

/** Whether a saved cell's closing row has been emitted. */
const WAITING = 0;
const OUT = 1;

/** The changes of the fields of a group. */
export interface FieldChanges {
  readonly put: StateField[];
  readonly delete: string[];
}

/** What the store has of one cell. */
interface SavedCell {
  state: Json | undefined;
  readonly parts: FoldPart[];
}

/**
 * A window's cells as fields of state: one for each key and, for accumulators with parts, one for each part.
 *
 * A cell whose row was emitted is stored only if late events may change it. Otherwise its own field is deleted at once,
 * and its parts with the window: a page of rows would have too many of them.
 */
export class FixedCodec<V, A, R> {
  readonly #fold: Fold<V, A, R>;
  readonly #room: Room;
  readonly #keeps: boolean;

  constructor(fold: Fold<V, A, R>, room: Room, keeps: boolean) {
    this.#fold = fold;
    this.#room = room;
    this.#keeps = keeps;
  }

  allCells(window: FixedWindow<A>): FieldChanges {
    const changes: FieldChanges = { put: [], delete: [] };
    let index = 0;
    for (const [key, accumulator] of window.cells) {
      const out = window.kept || index++ < window.out;
      if (!out || this.#keeps) this.#addCell(changes, window, key, accumulator, out);
    }
    return changes;
  }

  changedCells(window: FixedWindow<A>): FieldChanges {
    const changes: FieldChanges = { put: [], delete: [] };
    for (const key of window.justOut) {
      if (this.#keeps) this.#addCell(changes, window, key, window.cells.get(key) as A, true);
      else if (window.persisted) changes.delete.push(this.#nameOf(key));
    }
    for (const key of window.changed ?? []) {
      this.#addCell(changes, window, key, window.cells.get(key) as A, window.kept);
    }
    return changes;
  }

  allAfter(window: FixedWindow<A>): FieldChanges {
    return this.#afterOf(window, window.after?.keys() ?? []);
  }

  changedAfter(window: FixedWindow<A>): FieldChanges {
    return this.#afterOf(window, window.changedAfter ?? []);
  }

  /** Cells whose row was emitted come first, so that their number identifies them. */
  restoreCells(window: FixedWindow<A>, fields: Iterable<StateField>): void {
    const waiting: [string, readonly Json[], readonly FoldPart[]][] = [];
    for (const [key, { state, parts }] of this.#savedCells(fields)) {
      // Parts of a cell whose row was emitted.
      if (state === undefined) continue;
      const cell = listFrom(state);
      if ((cell[1] ?? WAITING) === WAITING) waiting.push([key, cell, parts]);
      else this.#restoreCell(window, key, cell, parts);
    }
    window.out = window.cells.size;
    for (const [key, cell, parts] of waiting) this.#restoreCell(window, key, cell, parts);
  }

  restoreAfter(window: FixedWindow<A>, fields: Iterable<StateField>): void {
    window.after = new Map();
    for (const [key, { state, parts }] of this.#savedCells(fields)) {
      window.after.set(key, restoreAccumulator(this.#fold, this.#room, state, parts));
    }
  }

  #nameOf(key: string): string {
    return this.#fold.parts === undefined ? key : fieldName(key);
  }

  #afterOf(window: FixedWindow<A>, keys: Iterable<string>): FieldChanges {
    const changes: FieldChanges = { put: [], delete: [] };
    for (const key of keys) {
      const accumulator = window.after?.get(key) as A;
      changes.put.push([this.#nameOf(key), snapshotOf(this.#fold, accumulator, key)]);
      this.#addParts(changes, key, accumulator);
    }
    return changes;
  }

  #addCell(changes: FieldChanges, window: FixedWindow<A>, key: string, accumulator: A, out: boolean): void {
    changes.put.push([this.#nameOf(key), this.#cellToJson(window, key, accumulator, out)]);
    this.#addParts(changes, key, accumulator);
  }

  #addParts(changes: FieldChanges, key: string, accumulator: A): void {
    if (this.#fold.parts === undefined) return;
    const parts = this.#fold.parts.changes(accumulator);
    for (const [id, value] of parts.put) changes.put.push([fieldName(key, id), value]);
    for (const id of parts.delete) changes.delete.push(fieldName(key, id));
  }

  #cellToJson(window: FixedWindow<A>, key: string, accumulator: A, out: boolean): Json {
    const state = snapshotOf(this.#fold, accumulator, key);
    const rows = window.rows?.get(key) ?? (out ? 1 : 0);
    if (!out && rows === 0) return [state];
    const cell = [state, out ? OUT : WAITING, rows];
    const sent = window.sent?.get(key);
    return sent === undefined ? cell : [...cell, markToJson(this.#fold, sent)];
  }

  /** The fields of each key, grouped. */
  #savedCells(fields: Iterable<StateField>): Iterable<readonly [key: string, cell: SavedCell]> {
    if (this.#fold.parts === undefined) {
      return Array.from(fields, ([key, state]) => [key, { state, parts: [] }] as const);
    }
    const cells = new Map<string, SavedCell>();
    for (const [name, value] of fields) {
      const [key, id] = splitFieldName(name);
      let cell = cells.get(key);
      if (cell === undefined) {
        cell = { state: undefined, parts: [] };
        cells.set(key, cell);
      }
      if (id === "") cell.state = value;
      else cell.parts.push([id, value]);
    }
    return cells;
  }

  #restoreCell(window: FixedWindow<A>, key: string, cell: readonly Json[], parts: readonly FoldPart[]): void {
    const [state, phase = WAITING, rows = 0, sent] = cell;
    window.cells.set(key, restoreAccumulator(this.#fold, this.#room, state, parts));
    const count = numberFrom(rows);
    if (count !== (phase === OUT ? 1 : 0)) window.setRows(key, count);
    if (sent !== undefined) window.note(key, markFromJson(this.#fold, sent));
  }
}
