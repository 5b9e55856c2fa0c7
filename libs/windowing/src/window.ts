/** A window's name: the ordinal of a tumbling or sliding window; of a session a text (`stream`) or an ordinal (`perKey`). */
export type WindowId = number | string;

/**
 * One window of time, in milliseconds since the epoch. Tumbling and sliding windows are half open,
 * `[open, close)`; a session is `[first event, last event]`, both inclusive.
 *
 * All rows of one tumbling or sliding window share one such object.
 */
export interface Window {
  readonly id: WindowId;
  readonly open: number;
  readonly close: number;
  /** Ids of the sessions that were merged into this one; empty for other windows. */
  readonly mergedIds: readonly WindowId[];
}

/** A window whose id is an ordinal. */
export interface OrdinalWindow extends Window {
  readonly id: number;
}

/** The `mergedIds` of every window that merged nothing: one object, so that windows cost little. */
export const NO_IDS: readonly WindowId[] = Object.freeze([]);

/** The id of the session that a late event would have opened: it never came to be. */
export const NO_SESSION_ID = -1;
