import type { SourceStats } from "../contracts/source.ts";

/** Figures of one step of one task. */
export interface StepStats {
  readonly id: string;
  readonly operator: string;
  readonly eventsIn: number;
  /** By port: `down` for most; `yes` and `no` of a branch; `late` and `refused` of a window. */
  readonly eventsOut: Readonly<Record<string, number>>;
  /** What the operator itself counts, by name. */
  readonly figures: Readonly<Record<string, number>>;
}

/** What a task does at the moment; `waiting`: nothing is left to do until an event comes or time passes. */
export type TaskPhase = "starting" | "running" | "waiting" | "stopping" | "ended" | "failed";

/**
 * What holds the watermark back. `probe`: the proof that nothing is left to read is being waited for, as long as the
 * source is disconnected, say. `unread-events`: something has arrived and waits to be read.
 */
export type Hold = "nothing" | "probe" | "unread-events";

/** Figures of one task. */
export interface TaskStats {
  readonly part: string;
  readonly phase: TaskPhase;
  /** What the source counts; `read` alone where it counts nothing itself. */
  readonly source: SourceStats;
  /** Payloads that the source itself refused, such as a line beyond the size bound. */
  readonly rejected: number;
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
