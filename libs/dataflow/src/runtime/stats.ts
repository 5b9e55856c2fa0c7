import type { SourceStats } from "../contracts/source.ts";
import type { StepKind } from "../graph.ts";

/** Figures of one step of one task. */
export interface StepStats {
  readonly id: string;
  readonly operator: string;
  readonly kind: StepKind;
  readonly eventsIn: number;
  /** By port: `down` for most; `yes` and `no` of a branch; `late` and `refused` of a window. */
  readonly eventsOut: Readonly<Record<string, number>>;
  /** What the operator itself says, by name; of an output `rowsOut`: rows that have left this process for good. */
  readonly figures: Readonly<Record<string, number>>;
}

/**
 * What a task does at the moment. `waiting`: nothing is left to do until an event comes or time passes. `reloading`: the
 * store was rolled back, and the task pauses before it is opened again.
 */
export type TaskPhase = "starting" | "running" | "waiting" | "reloading" | "stopping" | "ended" | "failed";

/**
 * What holds the watermark back. `probe`: the proof that nothing is left to read is being waited for, as long as the
 * source is disconnected, say. `unread-events`: something has arrived and waits to be read.
 */
export type Hold = "nothing" | "probe" | "unread-events";

/**
 * Figures of one partition's task. Where it was opened again, since its store had been rolled back, counts are those
 * of all its lives as far as their commits still stand.
 */
export interface TaskStats {
  readonly part: string;
  readonly phase: TaskPhase;
  /** What the source counts; `read` alone where it counts nothing itself. */
  readonly source: SourceStats;
  /** Payloads that the source itself refused, such as a line beyond the size bound. */
  readonly rejected: number;
  /**
   * Events that were taken in, but whose commits the store has lost since. No other figure has them, and a source that
   * resumes reads them again.
   */
  readonly discarded: number;
  /**
   * Events that a task with a store had taken in after its last commit when it failed, such as one that was replaced: no
   * other figure has them, and the next owner reads them again where the source can give them again. 0 until it fails.
   */
  readonly uncommitted: number;
  /** How often the task was opened again, since its store had been rolled back. */
  readonly reloads: number;
  readonly batches: number;
  /** How long the last batch took from its arrival to its rows' being written, ms. */
  readonly lastBatchMs: number;
  readonly longestBatchMs: number;
  /** Commits of this run. */
  readonly commits: number;
  /** System time (ms) of the last proof that nothing was left to read. */
  readonly drainedAt: number | undefined;
  /** How long ago (ms) the last message read was published or entered, where the source knows that. */
  readonly lagMs: number | undefined;
  /** What keeps time from closing windows that would be due. */
  readonly hold: Hold;
  readonly steps: readonly StepStats[];
}

/** Figures of a run. */
export interface FlowStats {
  readonly flow: string;
  readonly tasks: readonly TaskStats[];
}
