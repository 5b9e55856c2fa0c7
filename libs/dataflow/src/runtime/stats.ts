import type { HeldWindow } from "@millrace/windowing";
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
  /** The operator's own metrics, by name; of an output `rowsOut`: rows that have left this process. */
  readonly figures: Readonly<Record<string, number>>;
}

/**
 * The phase of a task. `waiting`: nothing to do until an event comes or time passes. `reloading`: the store was rolled
 * back, and the task pauses before it is reopened. `released`: the assignment has taken it from this worker.
 */
export type TaskPhase =
  | "starting"
  | "running"
  | "waiting"
  | "reloading"
  | "stopping"
  | "ended"
  | "failed"
  | "released";

/**
 * What holds the watermark back. `probe`: a probe is outstanding, for example while the source is disconnected.
 * `unread-events`: events have arrived and wait to be read.
 */
export type Hold = "nothing" | "probe" | "unread-events";

/**
 * Figures of one partition's task at this worker. If it was reopened after its store had been rolled back, or came back from
 * another worker, counts add up all its lives here, as far as their commits still exist.
 */
export interface TaskStats {
  readonly part: string;
  readonly phase: TaskPhase;
  /** The source's counts; only `read` if it has none. */
  readonly source: SourceStats;
  /** Payloads that the source itself refused, such as a line above the size bound. */
  readonly rejected: number;
  /**
   * Events that were processed, but whose commits the store has lost since. They are in no other count, and a source that
   * resumes reads them again.
   */
  readonly discarded: number;
  /**
   * Events that a task with a store had processed after its last commit when it failed, for example because it was
   * replaced. They are in no other count, and the next owner reads them again if the source can. 0 until it fails.
   */
  readonly uncommitted: number;
  /** How often another worker had taken the task over, so that it was dropped here. Only with a shared assignment. */
  readonly dropped: number;
  /** How often the task was reopened after its store had been rolled back. */
  readonly reloads: number;
  readonly batches: number;
  /** Time from the last batch's arrival until its rows were written, ms. */
  readonly lastBatchMs: number;
  readonly longestBatchMs: number;
  /** Commits of this run. */
  readonly commits: number;
  /** System time (ms) of the last proof that nothing was left to read. */
  readonly drainedAt: number | undefined;
  /**
   * Age (ms) of the last message when it was read, since it was published or entered, if the source knows that. 0 once a
   * later proof shows that nothing is left to read.
   */
  readonly lagMs: number | undefined;
  /** What keeps due windows from closing. */
  readonly hold: Hold;
  /** Lowest watermark of the task's window steps, ms; `undefined`: no window step has one yet. */
  readonly watermark: number | undefined;
  /** System time (ms) at which the last event was read. */
  readonly lastEventAt: number | undefined;
  /** `undefined`: none in this run. */
  readonly lastCommit: CommitFigures | undefined;
  readonly steps: readonly StepStats[];
}

/** The last commit of a task. */
export interface CommitFigures {
  /** System time at which it was applied, ms. */
  readonly at: number;
  readonly durationMs: number;
  /** Size of what was sent to the store; `undefined`: the store does not report it. */
  readonly bytes: number | undefined;
}

/** A window that a task holds and that has not emitted its last page of first results. */
export interface OpenWindow extends HeldWindow {
  readonly part: string;
  /** Id of the window step. */
  readonly step: string;
}

/** Figures of a run. */
export interface FlowStats {
  readonly flow: string;
  readonly tasks: readonly TaskStats[];
  /** It is one of several workers that share tasks, and waits for one. Absent: it has tasks, or is on its own. */
  readonly standby?: true;
}
