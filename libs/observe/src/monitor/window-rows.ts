import type { PartResult } from "@millrace/dataflow";
import type { WindowId } from "@millrace/windowing";
import type { Completeness, Row } from "../api/schemas.ts";
import { keptValue, numbersOf } from "./numbers.ts";

/** Rows of a window that are left when the others are dropped, unless those are too large as well. */
export const TOP_KEPT = 100;
/** Names of numbers in one window. */
const MAX_MEASURES = 20;
/** Bytes of a row beside its key and its value, by estimate. */
const ROW_BYTES = 200;

type Totals = Readonly<Record<string, number>>;

interface KeptRow {
  readonly row: Row;
  /** Of the row's window: those of sessions are replaced by it. */
  readonly windowId: WindowId;
  readonly bytes: number;
}

/** The sums over all rows of a window, and over those that are not shown. */
export interface Sums {
  readonly totals: Totals;
  readonly rest: { readonly rows: number; readonly totals: Totals };
}

/** The newest row of each key of a window; once they are dropped, the highest of them and their sums. */
export class WindowRows {
  /** Names of the numbers, in the order in which the rows have them. */
  readonly measures: string[] = [];
  /** How complete each partition's rows are. */
  readonly #complete = new Map<string, Completeness>();
  #rows = new Map<string, KeptRow>();
  #bytes = 0;
  /** Over all rows, also those that were dropped; added up as rows come, since a window may have 50,000. */
  readonly #totals: Record<string, number> = {};
  /** Keys, with those whose rows were dropped; `undefined`: none was. */
  #keys: number | undefined;
  #exact = true;

  /** Rows that are in memory. */
  get kept(): number {
    return this.#rows.size;
  }

  /** Bytes that they take, by estimate. */
  get bytes(): number {
    return this.#bytes;
  }

  get whole(): boolean {
    return this.#keys === undefined;
  }

  /** False: after rows were dropped others came that may be in place of them, so that count and sums are estimates. */
  get exact(): boolean {
    return this.#exact;
  }

  /** Keys that have a row. */
  get count(): number {
    return Math.max(this.#keys ?? 0, this.#rows.size);
  }

  put(result: PartResult<unknown>): void {
    const { part, key, revision, cause, complete, overflow = null, window } = result;
    const id = rowId(part, key);
    this.#complete.set(part, complete);
    const numbers = this.#measure(numbersOf(result.value));
    const kept = keptValue(result.value);
    const row: Row = { key, part, value: kept.value, numbers, revision, cause, complete, overflow };
    const known = this.#rows.get(id);
    addTo(this.#totals, numbers, 1);
    if (known === undefined) this.#count(result);
    else addTo(this.#totals, known.row.numbers, -1);
    // The key is in the row and in its id.
    const bytes = ROW_BYTES + 2 * (key.length + id.length) + bytesOf(numbers) + kept.bytes;
    this.#set(id, { row, windowId: window.id, bytes });
    if (!this.whole && this.#rows.size > 2 * TOP_KEPT) this.#keepTop(TOP_KEPT);
  }

  /** Removes the row of a session that another one has absorbed. @returns whether anything has changed */
  remove(part: string, key: string, windowIds: readonly WindowId[]): boolean {
    const id = rowId(part, key);
    const known = this.#rows.get(id);
    if (known === undefined && !this.whole && this.#exact) {
      this.#exact = false;
      return true;
    }
    if (known === undefined || !windowIds.includes(known.windowId)) return false;
    this.#rows.delete(id);
    this.#bytes -= known.bytes;
    if (this.#keys !== undefined) this.#keys -= 1;
    addTo(this.#totals, known.row.numbers, -1);
    return true;
  }

  /** Keeps only the highest rows, and the sums. @param limit rows that are left */
  drop(limit: number): void {
    this.#keys ??= this.#rows.size;
    this.#keepTop(limit);
  }

  /** The rows with the highest first measure, the highest first. */
  top(limit: number): readonly Row[] {
    return highest(
      [...this.#rows.values()].map(({ row }) => row),
      this.measures[0],
      Math.min(limit, this.whole ? limit : TOP_KEPT),
    );
  }

  /** @param shown rows of this window */
  sums(shown: readonly Row[]): Sums {
    const totals = { ...this.#totals };
    const rest = { ...totals };
    for (const { numbers } of shown) addTo(rest, numbers, -1);
    const rows = this.count - shown.length;
    return { totals, rest: { rows, totals: rows === 0 ? zeros(rest) : rest } };
  }

  /** The rows of one key: one of each partition. */
  ofKey(key: string): readonly Row[] {
    return [...this.#complete.keys()].flatMap((part) => {
      const kept = this.#rows.get(rowId(part, key));
      return kept === undefined ? [] : [kept.row];
    });
  }

  /** Over all partitions: what is missing is added up. */
  complete(): Completeness {
    let atLeast = 0;
    let atMost = 0;
    let unknown = this.#complete.size === 0;
    for (const each of this.#complete.values()) {
      if (each === "unknown") unknown = true;
      else if (each !== true) {
        atLeast += each.atLeast;
        atMost += each.atMost;
      }
    }
    if (atMost > 0) return { atLeast, atMost };
    return unknown ? "unknown" : true;
  }

  #set(id: string, kept: KeptRow): void {
    this.#bytes += kept.bytes - (this.#rows.get(id)?.bytes ?? 0);
    this.#rows.set(id, kept);
  }

  /** The numbers that are shown: names that depend on the data would grow without end. */
  #measure(numbers: Totals): Totals {
    const { measures } = this;
    for (const name in numbers) {
      if (!measures.includes(name) && measures.length < MAX_MEASURES) measures.push(name);
    }
    return Object.fromEntries(Object.entries(numbers).filter(([name]) => measures.includes(name)));
  }

  /**
   * Counts a row whose key has none that is kept, after rows were dropped. The row before a revision may have been dropped
   * here, or an earlier process had it; a match may be the first one of its key or not.
   */
  #count({ revision, cause, previous }: PartResult<unknown>): void {
    if (this.#keys === undefined) return;
    if (revision === 0) this.#keys += 1;
    else addTo(this.#totals, this.#measure(numbersOf(previous)), -1);
    if (revision > 0 || cause === "match") this.#exact = false;
  }

  #keepTop(limit: number): void {
    const all = [...this.#rows.values()];
    const top = new Set(
      highest(
        all.map(({ row }) => row),
        this.measures[0],
        limit,
      ),
    );
    this.#rows = new Map();
    this.#bytes = 0;
    for (const kept of all) {
      if (top.has(kept.row)) this.#set(rowId(kept.row.part, kept.row.key), kept);
    }
  }
}

function rowId(part: string, key: string): string {
  return `${part}\u0000${key}`;
}

/** By estimate. */
function bytesOf(numbers: Totals): number {
  return Object.keys(numbers).reduce((sum, name) => sum + 8 + 2 * name.length, 0);
}

function addTo(totals: Record<string, number>, numbers: Totals, factor: 1 | -1): void {
  for (const [name, value] of Object.entries(numbers)) {
    totals[name] = (Object.hasOwn(totals, name) ? (totals[name] ?? 0) : 0) + factor * value;
  }
}

/** Without a row the sums are 0, not what rounding has left of them. */
function zeros(totals: Totals): Totals {
  return Object.fromEntries(Object.keys(totals).map((name) => [name, 0]));
}

/** The rows with the highest measure; a large window is not sorted for a few of them. */
function highest(rows: readonly Row[], measure: string | undefined, limit: number): readonly Row[] {
  const of = ({ numbers }: Row): number =>
    (measure === undefined ? undefined : numbers[measure]) ?? Number.NEGATIVE_INFINITY;
  const order = (a: Row, b: Row): number => {
    const [x, y] = [of(a), of(b)];
    if (x !== y) return x > y ? -1 : 1;
    return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
  };
  if (limit <= 0) return [];
  let top: Row[] = [];
  let last: Row | undefined;
  for (const row of rows) {
    if (last !== undefined && order(row, last) > 0) continue;
    top.push(row);
    if (top.length < 2 * limit) continue;
    top = top.sort(order).slice(0, limit);
    last = top.at(-1);
  }
  return top.sort(order).slice(0, limit);
}
