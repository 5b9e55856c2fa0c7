import type { Completeness, HeldWindow, Json, StateChange } from "@millrace/windowing";
import type { Logger } from "./logger.ts";

/** Events in order, as columns: row `i` of every column belongs to `events[i]`. */
export interface Batch<T> {
  readonly events: readonly T[];
  /** Present on keyed streams. */
  readonly keys: readonly string[] | undefined;
  /** System time (ms) of each event's message; `NaN` where unknown. Absent: the source has none. */
  readonly times: readonly number[] | undefined;
}

/** Where an operator emits its events. Downstream steps have run when `emit` returns. */
export interface Emitter<Out> {
  /** Emits a batch. An empty batch need not be emitted. */
  emit(batch: Batch<Out>): void;
}

/** What a task passes to an operator that it builds. */
export interface OperatorContext {
  readonly step: string;
  readonly part: string;
  readonly logger: Logger;
  /** Asks the source whether all events of `[open, close)` have arrived. */
  completeness(open: number, close: number): Completeness;
  /** `SourcePartition.settledUpTo` of the task's source; −Infinity where it is unknown. */
  settledUpTo(): number;
  /** `SourcePartition.wholeFrom` of the task's source; −Infinity where it has none. */
  wholeFrom(): number;
}

/** When an operator wants to be called next, and what it needs for that. */
export interface Wake {
  /** System time, ms. */
  readonly at: number;
  /** `time`: system time reaches `at`. `drained`: a proof that the partition had nothing left to read at `at` or later. */
  readonly needs: "time" | "drained";
}

/**
 * One live copy of a step in one task. Synchronous: it may emit from every call, any number of times.
 *
 * Only `process` is required; a stateful operator also has `snapshot` and `restore`. One task makes all calls, never nested.
 * An error that a method throws ends the task with a StepError that names the step, except from `stats`,
 * `gauges` and `openWindows`.
 */
export interface Operator<In, Out> {
  /** Processes a batch that arrived at system time `now` (ms). */
  process(batch: Batch<In>, now: number, out: Emitter<Out>): void;
  /** System time is `now`. With `drainedAt`, the partition is proved to have had nothing left to read at that instant. */
  advance?(now: number, drainedAt: number | undefined, out: Emitter<Out>): void;
  /**
   * The system clock was set forward by this many ms, which have not passed: the next `now` includes them. A step that
   * measures intervals subtracts them. Called before the call with that `now`.
   */
  skipped?(ms: number): void;
  /** `end`: the input has ended. `drain`: the worker stops and no store keeps the state. */
  finish?(cause: "end" | "drain", now: number, out: Emitter<Out>): void;
  /** When `advance` is wanted next; `undefined`: only after another event. */
  nextWake?(now: number): Wake | undefined;
  /** More rows are due than fit one page; `nextPage` emits the next page. */
  readonly pending?: boolean;
  /** Emits the next page of rows that are due. */
  nextPage?(out: Emitter<Out>): void;
  /** The changes since the last call, or the whole state the first time. Called only for flows with a store. */
  snapshot?(): readonly StateChange[];
  /** Called before any other method, with the state that earlier snapshots add up to. */
  restore?(
    groups: Iterable<readonly [group: string, fields: Iterable<readonly [field: string, value: Json]>]>,
    now: number,
  ): void;
  /**
   * Event time (ms) up to which every result of this step has been emitted: no first result of a window that closes
   * by then can follow. −Infinity: unknown so far. Absent: the step has no windows.
   */
  watermark?(): number;
  /**
   * Time (ms) from which on no result of this step is missing for a step after it: those before are of windows that were read
   * in part, or may have been emitted before that step was there. −Infinity, or absent: none is.
   *
   * @param readFrom time (ms) from which on that step reads all that comes of the input; −Infinity: it always did
   */
  wholeFrom?(readFrom: number): number;
  /** When `watermark` can reach this value by system time alone; `undefined`: only events advance it. */
  wakeFor?(watermark: number): Wake | undefined;
  /** Emits the current content of open windows (cause `early`); they stay open. More pages may follow, as for a close. */
  early?(now: number, out: Emitter<Out>): void;
  /**
   * The windows that have not emitted their last page of first results, at most `limit`, newest close first. Called only
   * for an observer. If it throws, the last ones are shown, and the error is logged once. Absent: the step has no windows.
   */
  openWindows?(limit: number): readonly HeldWindow[];
  /**
   * Metrics to show, by name. Those not named in `gauges` are counts: they only grow. If it throws, the last values are
   * shown, and the error is logged once.
   */
  stats?(): Readonly<Record<string, number>>;
  /** Names of the metrics that are gauges, such as the number of keys held. @default none */
  readonly gauges?: readonly string[];
}
