import type { Json } from "./json.ts";
import type { WindowOutput } from "./window-output.ts";

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
 * What happened to one group of state since the last snapshot: `drop` first, then `put` and `delete`.
 * State has two levels so that a store can drop a whole window with one command.
 */
export interface StateChange {
  readonly group: string;
  readonly drop?: true;
  readonly put?: readonly StateField[];
  readonly delete?: readonly string[];
}

/** When to call the engine next, and what the call must be for anything to happen. */
export interface Wake {
  /** System time (ms). In the past = now. */
  readonly at: number;
  /** `time`: `advance(at)`. `drained`: `drained(t)` with a proved instant t >= at. */
  readonly needs: "time" | "drained";
}

/** A look inside. Counters run from the first event on and live through snapshots. */
export interface WindowStats {
  /** How far event time has come (ms); −Infinity before the first event. In `perKey` the lowest of any key held. */
  readonly watermark: number;
  /** Windows held: open, waiting to be emitted, or kept for late events. */
  readonly windows: number;
  /** Pairs of window and key held: what the size of the state is made of. */
  readonly cells: number;
  /** Events that entered at least one window. counted + late + refused + skipped = events given. */
  readonly counted: number;
  readonly late: number;
  readonly refused: number;
  /** Events on which the clock or the fold threw (`onError: "skip"`). */
  readonly skipped: number;
  /** Events counted under the overflow key since their own found no room. */
  readonly overflowed: number;
  /** Values that full folds have not taken in, in each window for itself: the sum of the rows' `overflow`. */
  readonly overflowedValues: number;
  /** Rows with a revision above 0. */
  readonly revisions: number;
  /** A rough size of the state in memory, with what accumulators have taken of `maxStateBytes`. */
  readonly approximateBytes: number;
}

/** What found no room so far, as in `WindowStats`. */
export type WindowOverflow = Pick<WindowStats, "overflowed" | "overflowedValues">;

/**
 * Windows over keyed events, as a state machine: no I/O, no timer, no clock of its own. Time comes in as an
 * argument (`now`: system time in ms) and never goes back: an earlier `now` counts as the latest one seen.
 *
 * With a `pageSize`, a call brings out at most so many rows of closing windows; while `pending`, `nextPage()`
 * brings more, and a snapshot taken in between goes on exactly there. Rows that an event itself caused
 * (matches, revisions) are as many as its batch has events, at most, for each window: they leave at once.
 */
export interface WindowEngine<V, R> {
  /**
   * Takes a batch that arrived at `now`, and closes what its events make due.
   *
   * @throws WindowBatchError
   * @throws WindowEventError for an event that clock or fold cannot take, unless `onError` is `skip`
   */
  process(batch: KeyedBatch<V>, now: number): WindowOutput<V, R>;
  /** It is `now`: closes what system time alone may close (system clock, `perKey`), and emits early results. */
  advance(now: number): WindowOutput<V, R>;
  /** Nothing was left to read at instant `t`, so event time follows system time up to it; includes `advance(t)`. */
  drained(t: number): WindowOutput<V, R>;
  /**
   * System time was set forth by so many ms, which have not passed; the next `now` is later by them. Windows on the
   * system clock take that at once; event time, which follows what passes, does not count it.
   */
  skipped(ms: number): void;
  /**
   * Closes every window. The watermark then stands at the latest close, so that a later event for one of these
   * windows is late or a revision, never a second first answer.
   */
  finish(cause: "end" | "drain"): WindowOutput<V, R>;
  /**
   * It is `now`: emits what open windows hold so far, as `early` results; the windows stay open. Left out is what has
   * not changed since its last row, and all of a fold with matches, whose rows leave at once.
   */
  early(now: number): WindowOutput<V, R>;
  /** Whether rows are due that found no room on the last page. */
  readonly pending: boolean;
  /** The next page of rows that are due. */
  nextPage(): WindowOutput<V, R>;
  /** When to wake the engine; undefined = only an event can bring anything about. */
  nextWake(now: number): Wake | undefined;
  /** What changed since the last call: everything, the first time. Costs what changed. */
  snapshot(): readonly StateChange[];
  /**
   * Takes up the state of an earlier engine; only before the first event. The time between its last snapshot and
   * `now` does not count: event time, which follows system time, goes on from where it stood.
   *
   * @throws WindowStateError
   */
  restore(state: Iterable<StateGroup>, now: number): void;
  /** Figures at this moment. */
  stats(): WindowStats;
  /** What found no room so far; unlike `stats` it costs nothing. */
  readonly overflow: WindowOverflow;
  /**
   * Event time (ms) up to which first results are all out: no window that closes by then will have its first row
   * after this, whatever comes. With `allowedLateness`, rows of cause `late` may follow until event time has
   * passed a window's close by so much. −Infinity where nothing can be said.
   */
  finalUpTo(): number;
  /**
   * When to wake the engine so that `finalUpTo` can come to so much, whatever windows are open; undefined: only an event
   * can bring that about.
   */
  wakeFor(finalUpTo: number): Wake | undefined;
  /** The watermark (ms) that holds for a key; −Infinity where none does yet. */
  watermarkOf(key: string): number;
  /** One paragraph: when results are final, and what becomes of late events. */
  explain(): string;
}
