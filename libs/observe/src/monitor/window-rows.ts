import type { PartResult } from "@millrace/dataflow";
import type { WindowId } from "@millrace/windowing";
import type { Completeness, Row } from "../api/schemas.ts";
import { keptValue, numbersOf } from "./numbers.ts";

/** Rows of a window that are left when the others are dropped. */
const TOP_KEPT = 100;
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

/** Some rows of a window, the highest first, and the sums of all others. */
export interface TopRows {
  readonly totals: Totals;
  readonly top: readonly Row[];
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
  /** Of the rows that were dropped, and all after them; `undefined`: none was. */
  #dropped: { count: number; totals: Record<string, number> } | undefined;

  /** Rows that are in memory. */
  get kept(): number {
    return this.#rows.size;
  }

  /** Bytes that they take, by estimate. */
  get bytes(): number {
    return this.#bytes;
  }

  get whole(): boolean {
    return this.#dropped === undefined;
  }

  /** Keys that have a row. */
  get count(): number {
    return this.#dropped?.count ?? this.#rows.size;
  }

  put(result: PartResult<unknown>): void {
    const { part, key, revision, cause, complete, overflow = null, window } = result;
    const numbers = numbersOf(result.value);
    this.#complete.set(part, complete);
    for (const name in numbers) {
      if (!this.measures.includes(name) && this.measures.length < MAX_MEASURES) this.measures.push(name);
    }
    const kept = keptValue(result.value);
    const row: Row = { key, part, value: kept.value, numbers, revision, cause, complete, overflow };
    const bytes = ROW_BYTES + 2 * key.length + kept.bytes;
    if (this.#dropped !== undefined) this.#count(this.#dropped, result, numbers);
    this.#set(rowId(part, key), { row, windowId: window.id, bytes });
    if (!this.whole && this.#rows.size > 2 * TOP_KEPT) this.#keepTop();
  }

  /** Removes the row of a session that another one has absorbed. */
  remove(part: string, key: string, windowIds: readonly WindowId[]): boolean {
    const id = rowId(part, key);
    const known = this.#rows.get(id);
    if (known === undefined || !windowIds.includes(known.windowId)) return false;
    this.#rows.delete(id);
    this.#bytes -= known.bytes;
    if (this.#dropped === undefined) return true;
    this.#dropped.count -= 1;
    addTo(this.#dropped.totals, known.row.numbers, -1);
    return true;
  }

  /** Keeps only the highest rows, and the sums. */
  drop(): void {
    this.#dropped ??= { count: this.#rows.size, totals: this.#sums() };
    this.#keepTop();
  }

  /** @param limit rows in `top` */
  top(limit: number): TopRows {
    const all = [...this.#rows.values()].map(({ row }) => row);
    const totals = { ...(this.#dropped?.totals ?? this.#sums()) };
    const shown = highest(all, this.measures[0], Math.min(limit, this.whole ? limit : TOP_KEPT));
    const rest = { ...totals };
    for (const { numbers } of shown) addTo(rest, numbers, -1);
    const rows = this.count - shown.length;
    return { totals, top: shown, rest: { rows, totals: rows === 0 ? zeros(rest) : rest } };
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

  /** A row that follows another one has its value, so that the sums need not have the row. */
  #count(
    dropped: { count: number; totals: Record<string, number> },
    { revision, previous }: PartResult<unknown>,
    numbers: Totals,
  ): void {
    addTo(dropped.totals, numbers, 1);
    if (revision === 0) dropped.count += 1;
    else addTo(dropped.totals, numbersOf(previous), -1);
  }

  #sums(): Record<string, number> {
    const totals: Record<string, number> = {};
    for (const { row } of this.#rows.values()) addTo(totals, row.numbers, 1);
    return totals;
  }

  #keepTop(): void {
    const all = [...this.#rows.values()];
    const top = new Set(
      highest(
        all.map(({ row }) => row),
        this.measures[0],
        TOP_KEPT,
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
