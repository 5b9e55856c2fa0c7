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
  /** Ids of the sessions that were merged into this one, the first 100 of them; empty for other windows. */
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

/** A session may swallow any number of others, and its ids are in its state and in its rows. */
const MAX_MERGED_IDS = 100;

/** The ids merged into a session, with more of them. */
export function addMergedIds(ids: readonly WindowId[], more: readonly WindowId[]): readonly WindowId[] {
  return ids.length >= MAX_MERGED_IDS ? ids : [...ids, ...more].slice(0, MAX_MERGED_IDS);
}
