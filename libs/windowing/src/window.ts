/**
 * A window's name: the ordinal of a tumbling or sliding window; the number that a windower of your own assigns; for a
 * session a text (`stream`) or an ordinal (`perKey`).
 */
export type WindowId = number | string;

/**
 * One window of time, in milliseconds since the epoch. Windows are half open, `[open, close)`; but a session is
 * `[first event, last event]`, both inclusive.
 *
 * All rows of one window other than a session share one such object.
 */
export interface Window {
  readonly id: WindowId;
  readonly open: number;
  readonly close: number;
  /**
   * Ids of sessions that were merged into this one, at most 100: in `stream` those that had rows, in `perKey` those
   * merged directly. Empty for other windows.
   */
  readonly mergedIds: readonly WindowId[];
  /** How many sessions were merged into this one, with and without rows. Absent: none. */
  readonly merged?: number;
}

/** A window whose id is an ordinal. */
export interface OrdinalWindow extends Window {
  readonly id: number;
}

/** The `mergedIds` of every window that merged nothing: one object, so that windows cost little. */
export const NO_IDS: readonly WindowId[] = Object.freeze([]);

/** Maximum number of ids in `mergedIds`: a session may absorb any number of others. */
export const MAX_MERGED_IDS = 100;

/** The id of the session that a late event would have opened. */
export const NO_SESSION_ID = -1;
