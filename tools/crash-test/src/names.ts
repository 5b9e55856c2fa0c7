/** Stream or channel that carries the events. */
export const CHANNEL = "crash_events";
/** Id of the aggregator's flow. */
export const FLOW = "crash_counts";
/** Output step that keeps the latest row of each window and key. */
export const LATEST = "latest";
/** Output step that keeps every row. */
export const HISTORY = "history";
/** Output step for late events. */
export const LATE = "late";
/** Length of a window in rounds. */
export const WINDOW_MS = 1_000;
