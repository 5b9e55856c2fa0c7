import type { PartResult } from "../operators/window-operator.ts";
import type { FlowDescription } from "../describe.ts";
import type { FlowStats, OpenWindow } from "../runtime/stats.ts";
import type { DeadLetter } from "./decoder.ts";

/** Something that a task did, and how long it took. */
export interface Timed {
  readonly part: string;
  /** System time at which it began, ms. */
  readonly startedAt: number;
  readonly durationMs: number;
}

/** A batch that passed all steps, and whose rows the sinks have accepted. */
export interface BatchDone extends Timed {
  readonly events: number;
}

/** Rows that an output's sink has accepted. */
export interface RowsWritten extends Timed {
  /** Id of the output step. */
  readonly step: string;
  readonly rows: number;
}

/** A commit that the store has applied. */
export interface CommitDone extends Timed {
  readonly number: number;
  /** Groups of state that changed. */
  readonly changes: number;
  /** Rows that became visible with it. */
  readonly rows: number;
  /** Size of what was sent to the store; `undefined`: the store does not report it. */
  readonly bytes: number | undefined;
  /** More pages of the same close follow. */
  readonly partial: boolean;
}

/** Results as they leave a window step. */
export interface ResultsEmitted {
  readonly part: string;
  /** Id of the window step. */
  readonly step: string;
  /** System time, ms. */
  readonly at: number;
  readonly results: readonly PartResult<unknown>[];
}

/** What an observer may look at, at any time, also before the first task runs and after the last one. */
export interface ObservedRun {
  readonly description: FlowDescription;
  /** The present figures. It never throws. */
  stats(): FlowStats;
  /**
   * Windows that are open or that close page by page, of all tasks.
   *
   * @param limit of each step of each task: those that close last
   */
  openWindows(limit: number): readonly OpenWindow[];
}

/**
 * Looks at a run from outside: monitoring, metrics, tracing. All methods are optional and synchronous, and are called once
 * for each batch, write, commit, or page of results, never for each event. Without an observer nothing is measured for it.
 *
 * If a method throws, or returns a promise that is rejected, that is logged once and the method is not called again: an
 * observer cannot fail a run.
 */
export interface RunObserver {
  /** The run begins: the flow is valid, and no task is open yet. */
  started?(run: ObservedRun): void;
  /** A batch is done; what it closed and wrote, and commits that were due, are part of its time. */
  batchDone?(batch: BatchDone): void;
  /** Called before the rows reach a sink; a store makes them durable with a later commit. */
  resultsEmitted?(results: ResultsEmitted): void;
  /** A sink has accepted rows. Not called for a sink whose rows leave with commits: `commitDone` has their number. */
  rowsWritten?(rows: RowsWritten): void;
  /** A commit is durable. Not called without a store. */
  commitDone?(commit: CommitDone): void;
  /** Also called where the flow has a sink for dead letters. */
  deadLetter?(letter: DeadLetter): void;
}
