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
/**
 * How far the watermark stays below the latest timestamp where workers share. Events are delayed by up to 10 s, and the
 * publisher by as long as a broker takes to start, while time passes for the watermark.
 */
export const SHARED_WAIT_MS = 40_000;
/** Length of a window in rounds. */
export const WINDOW_MS = 1_000;
