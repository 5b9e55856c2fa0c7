import type { Completeness, Json, StateChange } from "@millrace/windowing";
import type { Logger } from "./logger.ts";

/** Events in order, as columns: row `i` of every column belongs to `events[i]`. */
export interface Batch<T> {
  readonly events: readonly T[];
  /** Present on keyed streams. */
  readonly keys: readonly string[] | undefined;
  /** System time (ms) of each event's message; `NaN` where unknown. Absent: the source knows none. */
  readonly times: readonly number[] | undefined;
}

/** Where an operator puts what it makes. Downstream steps have run when `emit` returns. */
export interface Emitter<Out> {
  /** Hands a batch on; an empty one need not be emitted. */
  emit(batch: Batch<Out>): void;
}

/** What an operator gets when a task builds it. */
export interface OperatorContext {
  readonly step: string;
  readonly part: string;
  readonly logger: Logger;
  /** Asks the source how far the events of `[open, close)` are all here. */
  completeness(open: number, close: number): Completeness;
  /** `SourcePartition.settledUpTo` of the task's source; −Infinity where it cannot tell. */
  settledUpTo(): number;
}

/** The next time an operator wants to be called, and what would let it go on. */
export interface Wake {
  /** System time, ms. */
  readonly at: number;
  /** `time`: that it is `at`. `drained`: the proof that the partition had nothing left at `at` or later. */
  readonly needs: "time" | "drained";
}

/**
 * One live copy of a step in one task. Synchronous: it may emit from every call, any number of times.
 *
 * Only `process` is required; a stateful operator also has `snapshot` and `restore`. Calls come from one task, never nested.
 * What any of them throws ends the task with a StepError that names the step, but for `stats` and `gauges`.
 */
export interface Operator<In, Out> {
  /** Takes a batch that arrived at system time `now` (ms). */
  process(batch: Batch<In>, now: number, out: Emitter<Out>): void;
  /** System time is `now`; if `drainedAt` is given, the partition was proved to have nothing left at that instant. */
  advance?(now: number, drainedAt: number | undefined, out: Emitter<Out>): void;
  /**
   * The system's clock was set forth by so many ms, which have not passed: the next `now` is later by them. A step whose
   * time is to go on evenly leaves them out. It is called before the call with that `now`.
   */
  skipped?(ms: number): void;
  /** `end`: the input is over. `drain`: the worker stops and there is no store to keep the state. */
  finish?(cause: "end" | "drain", now: number, out: Emitter<Out>): void;
  /** When `advance` is wanted next; `undefined`: only an event can bring anything about. */
  nextWake?(now: number): Wake | undefined;
  /** More rows are due than fitted one page; `nextPage` emits the next. */
  readonly pending?: boolean;
  /** Emits the next page of rows that are due. */
  nextPage?(out: Emitter<Out>): void;
  /** What changed since the last call (all of it the first time); called only for flows that have a store. */
  snapshot?(): readonly StateChange[];
  /** Called before anything else with what earlier snapshots added up to. */
  restore?(
    groups: Iterable<readonly [group: string, fields: Iterable<readonly [field: string, value: Json]>]>,
    now: number,
  ): void;
  /**
   * Event time (ms) up to which every result of this step has been emitted: no first result of a window that closes
   * by then is still to come. −Infinity: none yet. Absent: the step has no windows.
   */
  watermark?(): number;
  /** When `watermark` can come to so much by system time alone; `undefined`: only events can bring that about. */
  wakeFor?(watermark: number): Wake | undefined;
  /** Emits what open windows hold so far (cause `early`); they stay open. More pages may follow, as for a close. */
  early?(now: number, out: Emitter<Out>): void;
  /**
   * Figures to show, by name. Those that are not named in `gauges` are counts: they only grow. If it throws, the last ones
   * stand, and the log says so once.
   */
  stats?(): Readonly<Record<string, number>>;
  /** Names of figures that say how things stand, such as a number of keys held. @default none */
  readonly gauges?: readonly string[];
}
