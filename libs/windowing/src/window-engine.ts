import type { Json } from "./json.ts";
import type { HeldWindow } from "./open-windows.ts";
import type { WindowOutput } from "./window-output.ts";
import { WindowBatchError } from "./errors.ts";

/** Events in columns: `keys[i]`, `values[i]` and `times[i]` are one event. */
export interface KeyedBatch<V> {
  readonly keys: readonly string[];
  readonly values: readonly V[];
  /** System time (ms) at which each event's message arrived, was published or entered; NaN = unknown. */
  readonly times?: readonly number[];
}

/** One field of a group of state. */
export type StateField = readonly [field: string, value: Json];

/** All fields of a group of state. */
export type StateGroup = readonly [group: string, fields: Iterable<StateField>];

/**
 * The changes of one group of state since the last snapshot: `drop` first, then `put` and `delete`.
 * State has two levels so that a store can drop a whole window with one command.
 */
export interface StateChange {
  readonly group: string;
  readonly drop?: true;
  readonly put?: readonly StateField[];
  readonly delete?: readonly string[];
}

/** When to call the engine next, and which call is needed. */
export interface Wake {
  /** System time (ms). In the past = now. */
  readonly at: number;
  /** `time`: `advance(at)`. `drained`: `drained(t)` with a proved instant t >= at. */
  readonly needs: "time" | "drained";
}

/** Metrics of an engine. Counters start at the first event and are part of snapshots. */
export interface WindowStats {
  /** The watermark (ms); −Infinity before the first event. In `perKey` the lowest of all keys held. */
  readonly watermark: number;
  /** Windows held: open, waiting to be emitted, or kept for late events. */
  readonly windows: number;
  /** Pairs of window and key held: they determine the size of the state. */
  readonly cells: number;
  /** Events that entered at least one window. counted + late + refused + skipped = events given. */
  readonly counted: number;
  readonly late: number;
  readonly refused: number;
  /** Events on which the clock or the fold threw (`onError: "skip"`). */
  readonly skipped: number;
  /** Events counted under the overflow key, since there was no room for their own. */
  readonly overflowed: number;
  /** Values that full folds have left out, in each window separately: the sum of the rows' `overflow`. */
  readonly overflowedValues: number;
  /** Rows with a revision above 0. */
  readonly revisions: number;
  /** Estimated size of the state in memory, with what accumulators have taken of `maxStateBytes`. */
  readonly approximateBytes: number;
}

/** What was left out for lack of room so far, as in `WindowStats`. */
export type WindowOverflow = Pick<WindowStats, "overflowed" | "overflowedValues">;

/**
 * Windows over keyed events, as a state machine: no I/O, no timer, no clock of its own. Time is an argument (`now`:
 * system time in ms) and never decreases: an earlier `now` counts as the latest one seen.
 *
 * With a `pageSize`, a call emits at most that many rows of closing windows; while `pending`, `nextPage()` emits more,
 * and an engine restored from a snapshot taken in between continues there. Rows that an event itself causes (matches,
 * revisions) are emitted at once: at most one per event of the batch, for each window.
 */
export interface WindowEngine<V, R> {
  /**
   * Adds a batch that arrived at `now`, and closes the windows that its events make due.
   *
   * @throws WindowBatchError
   * @throws WindowEventError for an event that clock or fold do not accept, unless `onError` is `skip`
   */
  process(batch: KeyedBatch<V>, now: number): WindowOutput<V, R>;
  /** System time is `now`: closes what system time alone may close (system clock, `perKey`), and emits early results. */
  advance(now: number): WindowOutput<V, R>;
  /** Nothing was left to read at instant `t`, so event time follows system time up to it; includes `advance(t)`. */
  drained(t: number): WindowOutput<V, R>;
  /**
   * System time was set forward by this many ms, which have not passed; the next `now` includes them. Windows on the
   * system clock follow at once; event time, which follows the time that passes, does not count them.
   */
  skipped(ms: number): void;
  /**
   * Closes every window. The watermark is then the latest close, so that a later event of one of these windows is late
   * or a revision, never a second first result.
   */
  finish(cause: "end" | "drain"): WindowOutput<V, R>;
  /**
   * System time is `now`: emits early results of open windows, which stay open. Left out are keys without a change since
   * their last row, and folds with matches, whose rows are emitted at once.
   */
  early(now: number): WindowOutput<V, R>;
  /** Whether rows are due that did not fit the last page. */
  readonly pending: boolean;
  /** The next page of rows that are due. */
  nextPage(): WindowOutput<V, R>;
  /** When to call the engine; undefined = only after another event. */
  nextWake(now: number): Wake | undefined;
  /** The changes since the last call; everything, the first time. Its cost depends on the changes alone. */
  snapshot(): readonly StateChange[];
  /**
   * Restores the state of an earlier engine; only before the first event. The time between its last snapshot and `now`
   * does not count: event time, which follows system time, continues from where it was.
   *
   * @throws WindowStateError
   */
  restore(state: Iterable<StateGroup>, now: number): void;
  /** The present metrics. */
  stats(): WindowStats;
  /**
   * The windows that have not emitted their last page of first results, at most `limit`, newest close first; windows that
   * are only kept for late events are left out. Sessions are listed one by one with their key, other windows once for all
   * keys, in both time models. One pass over the open windows (in `perKey` over their keys), without sorting all of them.
   */
  openWindows(limit: number): readonly HeldWindow[];
  /** What was left out for lack of room so far; unlike `stats` it costs nothing. */
  readonly overflow: WindowOverflow;
  /**
   * Event time (ms) up to which all first results have been emitted: no window that closes by then can still emit its
   * first row. With `allowedLateness`, rows of cause `late` may follow until event time has passed a window's close by
   * that much. −Infinity if unknown.
   */
  finalUpTo(): number;
  /**
   * When to call the engine so that `finalUpTo` can reach this value, whatever windows are open; undefined: only an event
   * can raise it.
   */
  wakeFor(finalUpTo: number): Wake | undefined;
  /** The watermark (ms) of a key; −Infinity if it has none yet. */
  watermarkOf(key: string): number;
  /** One paragraph: when results are final, and what happens to late events. */
  explain(): string;
}

/** Refuses a batch whose columns differ in length. */
export function requireColumns<V>({ keys, values, times }: KeyedBatch<V>): void {
  const length = keys.length;
  if (values.length === length && (times === undefined || times.length === length)) return;
  throw new WindowBatchError(
    `The batch has ${String(length)} keys, ${String(values.length)} values and ` +
      `${times === undefined ? "no" : String(times.length)} times; all columns must have the same length.`,
  );
}
