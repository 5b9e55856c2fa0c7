import type { Window, WindowId } from "./window.ts";

/**
 * Why a result left its window.
 *
 * - `watermark`: time passed the window's close; the first answer, and the last one without `allowedLateness`.
 * - `early`: the window is still open (`earlyEvery`).
 * - `late`: a late event within `allowedLateness` changed a closed window.
 * - `end`: the input ended. `drain`: the flow stops and keeps no state.
 * - `match`: a join that emits as its sides meet; the window may be open.
 */
export type WindowCause = "watermark" | "early" | "late" | "end" | "drain" | "match";

/** Whether every event of the window was seen: yes, not known, or the bounds of how many are missing. */
export type Completeness = true | "unknown" | { readonly atLeast: number; readonly atMost: number };

/** One row: what one key came to in one window. */
export interface WindowResult<R> {
  readonly key: string;
  readonly value: R;
  readonly window: Window;
  /** 0 for the first row of this key and window, then 1, 2, ...: a higher one replaces a lower one. */
  readonly revision: number;
  readonly cause: WindowCause;
  readonly complete: Completeness;
  /** The value of revision − 1, so that a consumer can retract it. Absent from revision 0 and from matches. */
  readonly previous?: R;
  /**
   * How many values the fold has not taken in, since it was full or they were too large; the row is right without
   * them. Absent if there are none.
   */
  readonly overflow?: number;
  /** Ids of sessions that had rows of their own and are part of this one now: their rows are void. */
  readonly replaces?: readonly WindowId[];
}

/** An event that came after all its windows had closed. */
export interface LateEvent<V> {
  readonly key: string;
  readonly value: V;
  readonly timestamp: number;
  /** The watermark that it lay behind. */
  readonly watermark: number;
  /** The windows it missed; for sessions the one it would have opened, with id −1. */
  readonly windows: readonly Window[];
}

/** Why an event was refused: its time lies too far ahead of its arrival, or it has no usable time at all. */
export type RefusalReason = "future-timestamp" | "invalid-timestamp";

/** An event that may not move the clock. It is neither counted nor late. */
export interface RefusedEvent<V> {
  readonly key: string;
  readonly value: V;
  readonly timestamp: number;
  readonly reason: RefusalReason;
  /** The latest timestamp (ms) that would have been accepted. */
  readonly limit: number;
}

/** An event on which the clock or the fold threw. It is in no window, neither counted nor late nor refused. */
export interface SkippedEvent<V> {
  readonly key: string;
  readonly value: V;
  /** What was thrown. */
  readonly error: unknown;
}

/** What one call brought out. */
export interface WindowOutput<V, R> {
  /**
   * First results in order of (close, id), for windows of a windower of your own of (close, open), then revisions; the order of keys inside one window is not promised.
   * With `pageSize` and `allowedLateness`, a late event calls the session it belongs to out ahead of its page.
   */
  readonly results: readonly WindowResult<R>[];
  readonly late: readonly LateEvent<V>[];
  readonly refused: readonly RefusedEvent<V>[];
  /** Empty unless `onError` is `skip`. */
  readonly skipped: readonly SkippedEvent<V>[];
}
