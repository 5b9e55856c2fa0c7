import type { Window, WindowId } from "./window.ts";

/**
 * Why a result was emitted.
 *
 * - `watermark`: time passed the window's close; the first result, and the last one without `allowedLateness`.
 * - `early`: the window is still open (`earlyEvery`).
 * - `late`: a late event within `allowedLateness` changed a closed window.
 * - `end`: the input ended. `drain`: the flow stops and keeps no state.
 * - `match`: a join that emits when its sides match; the window may be open.
 */
export type WindowCause = "watermark" | "early" | "late" | "end" | "drain" | "match";

/** Whether every event of the window was seen: yes, unknown, or the bounds of how many are missing. */
export type Completeness = true | "unknown" | { readonly atLeast: number; readonly atMost: number };

/** One row: the result of one key in one window. */
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
   * How many values the fold has left out, since it was full or they were too large; the row is right without them.
   * Absent if there are none.
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
  /** The watermark, which was above its timestamp. */
  readonly watermark: number;
  /** The windows it missed; for sessions the one it would have opened, with id −1. */
  readonly windows: readonly Window[];
}

/** Why an event was refused: its time is too far ahead of its arrival, or invalid. */
export type RefusalReason = "future-timestamp" | "invalid-timestamp";

/** An event that must not move the clock. It is neither counted nor late. */
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

/** The output of one call. */
export interface WindowOutput<V, R> {
  /**
   * First results in order of (close, id), or of (close, open) for a windower of your own, then revisions. The order
   * of keys inside one window is not defined.
   * With `pageSize` and `allowedLateness`, a late event makes its session's row leave before its page.
   */
  readonly results: readonly WindowResult<R>[];
  readonly late: readonly LateEvent<V>[];
  readonly refused: readonly RefusedEvent<V>[];
  /** Empty unless `onError` is `skip`. */
  readonly skipped: readonly SkippedEvent<V>[];
}
