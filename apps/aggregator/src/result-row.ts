import type { Completeness, WindowCause, WindowId, WindowResult } from "@millrace/windowing";

/** Where a result comes from and how far it can be trusted. */
export interface Provenance {
  /** When the window opened and closed, ms since the epoch. */
  readonly window: { readonly id: WindowId; readonly open: number; readonly close: number };
  /** 0 for the first result of this key and window; a higher one replaces a lower one. */
  readonly revision: number;
  /** Why the result left its window. */
  readonly cause: WindowCause;
  /** Whether all events of the window were seen: yes, not known, or the bounds of how many are missing. */
  readonly complete: Completeness;
  /** How many values a full fold has not taken in: the numbers are right without them. Absent if there are none. */
  readonly overflow?: number;
  /** Sessions whose results are void, since they are part of this one. */
  readonly replaces?: readonly WindowId[];
}

/** Where a result comes from, for a row that shows it. */
export function provenance({
  window,
  revision,
  cause,
  complete,
  overflow,
  replaces,
}: WindowResult<unknown>): Provenance {
  const { id, open, close } = window;
  const voided = replaces === undefined ? {} : { replaces };
  const leftOut = overflow === undefined ? {} : { overflow };
  return { window: { id, open, close }, revision, cause, complete, ...leftOut, ...voided };
}

/** A row to print or keep that still knows its result, and so its window, key and revision. As JSON it is the row alone. */
export class ResultRow {
  readonly result: WindowResult<unknown>;
  readonly row: object;

  constructor(result: WindowResult<unknown>, row: object) {
    this.result = result;
    this.row = row;
  }

  toJSON(): object {
    return this.row;
  }
}

/** Turns "what is in a row" into a function for `map` that makes {@link ResultRow}s. */
export type Reporter = <R>(
  toRow: (result: WindowResult<R>) => object,
) => (result: WindowResult<R>) => ResultRow;

/** @param meta whether each row also has its {@link Provenance} */
export function reporter(meta: boolean): Reporter {
  return (toRow) => (result) => {
    const row = toRow(result);
    return new ResultRow(result, meta ? { ...row, ...provenance(result) } : row);
  };
}
