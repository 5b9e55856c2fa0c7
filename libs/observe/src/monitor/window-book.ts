import type { OpenWindow, ResultsEmitted } from "@millrace/dataflow";
import type { Window } from "../api/schemas.ts";
import { WindowRows } from "./window-rows.ts";

/** Windows that are kept, of all steps. */
export const MAX_WINDOWS = 200;
/** Rows that are kept, of all windows. */
const MAX_ROWS = 50_000;
/** Bytes that they may take, by estimate. */
const MAX_BYTES = 32 * 2 ** 20;

interface Bounds {
  readonly step: string;
  readonly open: number;
  readonly close: number;
}

/** A window that had rows. */
interface Entry extends Bounds {
  readonly rows: WindowRows;
  cause: NonNullable<Window["cause"]>;
  revision: number;
  /** A late event has changed a row. */
  revised: boolean;
  updatedAt: number;
  /** Grows with each change. */
  version: number;
}

/** A window as it is now; `version` differs after each change. */
export interface ListedWindow extends Bounds {
  readonly id: string;
  readonly version: string;
  readonly openIn: readonly string[];
  readonly openKeys: number;
  readonly entry: Entry | undefined;
}

/** The newest windows of a run with their rows: those that are open now, and those that had rows. */
export class WindowBook {
  readonly #entries = new Map<string, Entry>();

  put({ step, at, results }: ResultsEmitted): void {
    let last: Entry | undefined;
    for (const result of results) {
      const { window, part, key, replaces, revision, cause } = result;
      const { open, close } = window;
      // Rows of one window follow each other.
      const entry: Entry =
        last?.open === open && last.close === close ? last : this.#entry({ step, open, close });
      if (replaces !== undefined) this.#removeReplaced(step, part, key, replaces);
      entry.rows.put(result);
      entry.cause = cause;
      entry.revision = Math.max(entry.revision, revision);
      entry.revised ||= cause === "late";
      entry.updatedAt = at;
      entry.version += 1;
      last = entry;
    }
    this.#dropWindows();
    this.#dropRows();
  }

  /** The newest windows, the newest first. @param open those that are open now */
  list(open: readonly OpenWindow[]): readonly ListedWindow[] {
    const listed = new Map<string, { bounds: Bounds; openIn: string[]; openKeys: number; entry?: Entry }>();
    for (const [id, entry] of this.#entries) {
      listed.set(id, { bounds: entry, openIn: [], openKeys: 0, entry });
    }
    for (const { step, part, window, keys } of open) {
      const bounds = { step, open: window.open, close: window.close };
      const id = idOf(bounds);
      const known = listed.get(id);
      if (known === undefined) listed.set(id, { bounds, openIn: [part], openKeys: keys });
      else {
        if (!known.openIn.includes(part)) known.openIn.push(part);
        known.openKeys += keys;
      }
    }
    return [...listed]
      .map(([id, { bounds, openIn, openKeys, entry }]) => ({
        id,
        step: bounds.step,
        open: bounds.open,
        close: bounds.close,
        openIn,
        openKeys,
        entry,
        version: `${entry?.version ?? 0} ${openKeys} ${openIn.join(" ")}`,
      }))
      .sort(newestFirst)
      .slice(0, MAX_WINDOWS);
  }

  #entry(bounds: Bounds): Entry {
    const id = idOf(bounds);
    const known = this.#entries.get(id);
    if (known !== undefined) return known;
    const entry: Entry = {
      ...bounds,
      rows: new WindowRows(),
      cause: "watermark",
      revision: 0,
      revised: false,
      updatedAt: 0,
      version: 0,
    };
    this.#entries.set(id, entry);
    return entry;
  }

  /** The rows of sessions that are part of another one now are void. */
  #removeReplaced(step: string, part: string, key: string, ids: Parameters<WindowRows["remove"]>[2]): void {
    for (const [id, entry] of this.#entries) {
      if (entry.step !== step || !entry.rows.remove(part, key, ids)) continue;
      entry.version += 1;
      if (entry.rows.count === 0) this.#entries.delete(id);
    }
  }

  /** The step with the most windows loses its oldest ones, so that short windows do not displace long ones. */
  #dropWindows(): void {
    if (this.#entries.size <= MAX_WINDOWS) return;
    const steps = new Map<string, [id: string, entry: Entry][]>();
    for (const each of this.#entries) {
      const { step } = each[1];
      const windows = steps.get(step);
      if (windows === undefined) steps.set(step, [each]);
      else windows.push(each);
    }
    for (const windows of steps.values()) windows.sort(([, a], [, b]) => newestFirst(a, b));
    while (this.#entries.size > MAX_WINDOWS) {
      const [most] = [...steps.values()].sort((a, b) => b.length - a.length);
      const oldest = most?.pop();
      if (oldest === undefined) return;
      this.#entries.delete(oldest[0]);
    }
  }

  /** The oldest windows lose their rows. */
  #dropRows(): void {
    const entries = [...this.#entries.values()];
    let rows = 0;
    let bytes = 0;
    for (const entry of entries) {
      rows += entry.rows.kept;
      bytes += entry.rows.bytes;
    }
    if (rows <= MAX_ROWS && bytes <= MAX_BYTES) return;
    entries.sort((a, b) => newestFirst(b, a));
    for (const entry of entries) {
      if (rows <= MAX_ROWS && bytes <= MAX_BYTES) return;
      if (!entry.rows.whole) continue;
      rows -= entry.rows.kept;
      bytes -= entry.rows.bytes;
      entry.rows.drop();
      entry.version += 1;
      rows += entry.rows.kept;
      bytes += entry.rows.bytes;
    }
  }
}

/** A window as the API has it. @param limit rows in `top` @param key only this key's rows */
export function windowOf(listed: ListedWindow, limit: number, key?: string): Window {
  const { id, step, open, close, openIn, openKeys, entry } = listed;
  const bounds = { id, step, open, close, openIn: [...openIn] };
  if (entry === undefined) {
    return {
      ...bounds,
      status: "filling",
      cause: null,
      revision: 0,
      complete: "unknown",
      keys: openKeys,
      measures: [],
      totals: {},
      top: [],
      rest: { rows: 0, totals: {} },
      rowsKept: true,
      updatedAt: null,
    };
  }
  const { rows, cause, revision, updatedAt } = entry;
  const { totals, top, rest } = rows.top(key === undefined ? limit : 0);
  return {
    ...bounds,
    status: statusOf(listed, entry),
    cause,
    revision,
    complete: rows.complete(),
    keys: Math.max(openKeys, rows.count),
    measures: [...rows.measures],
    totals,
    top: key === undefined ? [...top] : [...rows.ofKey(key)],
    rest,
    rowsKept: rows.whole,
    updatedAt,
  };
}

function statusOf({ openIn }: ListedWindow, { rows, cause, revised }: Entry): Window["status"] {
  if (openIn.length > 0 || cause === "early") return "filling";
  if (typeof rows.complete() === "object") return "incomplete";
  return revised ? "revised" : "final";
}

function idOf({ step, open, close }: Bounds): string {
  return `${step}@${open}-${close}`;
}

function newestFirst(a: Bounds, b: Bounds): number {
  if (a.close !== b.close) return b.close - a.close;
  if (a.open !== b.open) return b.open - a.open;
  return a.step < b.step ? -1 : a.step > b.step ? 1 : 0;
}
