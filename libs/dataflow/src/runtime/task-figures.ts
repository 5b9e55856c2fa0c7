import type { TimeProvider } from "../contracts/time-provider.ts";
import { kindOf } from "../graph.ts";
import type { Graph } from "../graph.ts";
import type { LiveTask } from "./open-task.ts";
import type { CommitFigures, Hold, StepStats, TaskPhase, TaskStats } from "./stats.ts";
import { NO_COUNTS, eventsOf, sumOf } from "./task-counts.ts";
import type { TaskCounts } from "./task-counts.ts";
import type { TaskHistory } from "./task-history.ts";

/** The present state of a task. */
export interface TaskStanding {
  readonly part: string;
  readonly phase: TaskPhase;
  readonly hold: Hold;
  /** `undefined` before the task is open. */
  readonly live: LiveTask | undefined;
}

/** The counts and metrics of one life of a task. */
export class TaskFigures {
  readonly #graph: Graph;
  readonly #time: TimeProvider;
  readonly #history: TaskHistory;
  #read = 0;
  /** Batches that were started, and those that are finished. */
  #taken = 0;
  #batches = 0;
  #lastBatchMs = 0;
  #longestBatchMs = 0;
  #rejected = 0;
  #commits = 0;
  #drainedAt: number | undefined;
  #lagMs: number | undefined;
  #lastEventAt: number | undefined;
  #lastCommit: CommitFigures | undefined;
  /** The source's counts at the position of the next commit. */
  #atPosition = { duplicates: 0, lost: 0, rejected: 0, possibleDuplicates: 0, suspicious: 0 };
  /** The counts of this life at the last commit; `undefined`: there is no store, and all counts are valid. */
  #committed: TaskCounts | undefined;

  constructor(graph: Graph, time: TimeProvider, history: TaskHistory, commits: boolean) {
    this.#graph = graph;
    this.#time = time;
    this.#history = history;
    this.#committed = commits ? NO_COUNTS : undefined;
  }

  get read(): number {
    return this.#read;
  }

  /** Whether the source has had anything, also what it refused itself. */
  get hasInput(): boolean {
    return this.#read + this.#rejected > 0;
  }

  /** A batch was read. @param times of its events' messages, ms; `NaN` where unknown */
  took(events: number, times: readonly number[] | undefined): void {
    this.#read += events;
    this.#taken += 1;
    if (events > 0) this.#lastEventAt = this.#time.now();
    const last = times?.at(-1);
    if (last !== undefined && !Number.isNaN(last)) this.#lagMs = this.#time.now() - last;
  }

  /** Nothing was left to read. @param at system time of the proof, ms */
  drained(at: number): void {
    this.#drainedAt = at;
    if (this.#lagMs !== undefined) this.#lagMs = 0;
  }

  batchDone(tookMs: number): void {
    this.#batches += 1;
    this.#lastBatchMs = tookMs;
    this.#longestBatchMs = Math.max(this.#longestBatchMs, tookMs);
  }

  /** The source itself refused a payload. */
  refused(): void {
    this.#rejected += 1;
  }

  /** The next commit has the source's present position. */
  atPosition(live: LiveTask): void {
    this.#atPosition = { ...countedBy(live), rejected: this.#rejected };
  }

  /** The counts of this life with the next commit. */
  withCommit({ graph }: LiveTask): TaskCounts {
    const steps = graph.counts(this.#graph, "written");
    return { ...this.#own(), batches: this.#taken, commits: this.#commits + 1, steps };
  }

  /** @param counts of this life in the commit */
  committed(counts: TaskCounts, commit: CommitFigures): void {
    this.#lastCommit = commit;
    this.#commits = counts.commits;
    this.#committed = counts;
  }

  /** The life ended with a rollback, and another one begins. */
  rolledBack(live: LiveTask | undefined): void {
    this.#history.rolledBack(this.#committed ?? NO_COUNTS, eventsOf(this.#now(live)));
  }

  /** The life is over, and another one begins: its counts become those of earlier lives. */
  ended(live: LiveTask | undefined): void {
    this.#history.ended(this.#committed ?? NO_COUNTS, eventsOf(this.#now(live)));
  }

  stats({ part, phase, hold, live }: TaskStanding): TaskStats {
    const { earlier, discarded, reloads, dropped, uncommitted } = this.#history;
    const source = live?.sourceStats.now();
    const own = this.#standing(phase, live);
    const { steps, ...counts } = sumOf(earlier, own);
    const gauges = live?.graph.gauges();
    return {
      part,
      phase,
      source: {
        queued: 0,
        ...source,
        read: counts.read,
        duplicates: counts.duplicates,
        lost: counts.lost,
        possibleDuplicates: counts.possibleDuplicates,
        suspicious: counts.suspicious,
      },
      rejected: counts.rejected,
      discarded,
      uncommitted: uncommitted + (phase === "failed" ? eventsOf(this.#now(live)) - eventsOf(own) : 0),
      reloads,
      dropped,
      batches: counts.batches,
      lastBatchMs: this.#lastBatchMs,
      longestBatchMs: this.#longestBatchMs,
      commits: counts.commits,
      drainedAt: this.#drainedAt,
      lagMs: this.#lagMs,
      hold,
      watermark: watermarkOf(live),
      lastEventAt: this.#lastEventAt,
      lastCommit: this.#lastCommit,
      steps: this.#graph.nodes.flatMap((node): StepStats[] => {
        const { id, operator } = node;
        const step = steps[id];
        if (step === undefined) return [];
        return [
          { id, operator, kind: kindOf(node), ...step, figures: { ...step.figures, ...gauges?.get(id) } },
        ];
      }),
    };
  }

  /** The counts that this life adds: if it failed, those at its last commit. */
  #standing(phase: TaskPhase, live: LiveTask | undefined): TaskCounts {
    // The history has the counts of a finished life.
    if (phase === "reloading") return NO_COUNTS;
    return (phase === "failed" ? this.#committed : undefined) ?? this.#now(live);
  }

  /** All counts of this life so far, with the source's counts since the last noted position. */
  #now(live: LiveTask | undefined): TaskCounts {
    const counted = live && countedBy(live);
    return {
      ...this.#own(),
      ...counted,
      read: live?.sourceStats.now()?.read ?? this.#read,
      rejected: this.#rejected,
      steps: live?.graph.counts(this.#graph) ?? {},
    };
  }

  /** Without the steps, and only up to the position of the next commit. */
  #own(): Omit<TaskCounts, "steps"> {
    return { read: this.#read, ...this.#atPosition, batches: this.#batches, commits: this.#commits };
  }
}

function watermarkOf(live: LiveTask | undefined): number | undefined {
  const watermark = live?.watermark.now();
  return watermark !== undefined && Number.isFinite(watermark) ? watermark : undefined;
}

function countedBy(
  live: LiveTask,
): Pick<TaskCounts, "duplicates" | "lost" | "possibleDuplicates" | "suspicious"> {
  const { duplicates = 0, lost = 0, possibleDuplicates = 0, suspicious = 0 } = live.sourceStats.now() ?? {};
  return { duplicates, lost, possibleDuplicates, suspicious };
}
