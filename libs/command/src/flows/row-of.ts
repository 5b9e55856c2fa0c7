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

/** Makes the row of a result that is printed or kept. */
export type RowOf = (result: WindowResult<unknown>) => object;

/**
 * The value where it is an object, else key and value.
 *
 * @param meta whether each row also has its {@link Provenance}
 */
export function rowOf(meta: boolean): RowOf {
  return (result) => {
    const { key, value } = result;
    const row = typeof value === "object" && value !== null && !Array.isArray(value) ? value : { key, value };
    return meta ? { ...row, ...provenance(result) } : row;
  };
}
