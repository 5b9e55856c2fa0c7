import { messageOf } from "@millrace/dataflow";
import type {
  FlowDescription,
  FlowStats,
  Logger,
  ObservedRun,
  OpenWindow,
  RunObserver,
  TaskPhase,
  TaskStats,
} from "@millrace/dataflow";
import { mergedTasks } from "./merged-tasks.ts";
import type { Observed } from "./worker-messages.ts";

/** What is known of one process. */
interface Known {
  readonly stats: FlowStats;
  readonly openWindows: readonly OpenWindow[];
}

/** The runs of several processes that share the tasks of one flow, observed as one run. */
export class RunOfProcesses implements ObservedRun {
  readonly #observers: readonly RunObserver[];
  readonly #logger: Logger;
  #description: FlowDescription | undefined;
  /** By the process' number. */
  readonly #processes = new Map<number, Known>();
  /** Counts of processes that have ended, and were started again since. */
  #past: readonly TaskStats[] = [];
  readonly #ended = new Set<number>();
  #hasFailed = false;

  constructor(observers: readonly RunObserver[], logger: Logger) {
    this.#observers = observers;
    this.#logger = logger;
  }

  /** Before the first process has sent its own it has no name and no steps. */
  get description(): FlowDescription {
    return this.#description ?? { flow: "", steps: [] };
  }

  stats(): FlowStats {
    const known = [...this.#processes.values()];
    const tasks = mergedTasks([...this.#past, ...known.flatMap(({ stats }) => stats.tasks)]);
    const standby = known.length > 0 && known.every(({ stats }) => stats.standby === true);
    return { flow: this.description.flow, tasks, ...(standby && tasks.length === 0 ? { standby } : {}) };
  }

  /** The limit is that of the processes' messages. */
  openWindows(): readonly OpenWindow[] {
    return [...this.#processes.values()].flatMap(({ openWindows }) => openWindows);
  }

  /** A process has sent what it did. Never throws. */
  take(process: number, message: Observed): void {
    const { description, stats, openWindows } = message;
    if (this.#ended.delete(process)) this.#forget(process);
    this.#processes.set(process, { stats, openWindows });
    try {
      this.#report(description, message);
    } catch (error) {
      // An observer cannot fail a run.
      if (!this.#hasFailed)
        this.#logger.warn(
          { event: "observer-failed" },
          `what the processes do is not shown: ${messageOf(error)}`,
        );
      this.#hasFailed = true;
    }
  }

  /** A process is no more. Unless it has finished them, its tasks count as failed until it is started again. */
  end(process: number): void {
    const known = this.#processes.get(process);
    if (known === undefined) return;
    const tasks = known.stats.tasks.map((task) => gone(task, "failed"));
    this.#processes.set(process, { stats: { ...known.stats, tasks }, openWindows: [] });
    this.#ended.add(process);
  }

  /** The counts of a process that was started again remain. */
  #forget(process: number): void {
    const tasks = this.#processes.get(process)?.stats.tasks ?? [];
    this.#past = mergedTasks([...this.#past, ...tasks.map((task) => gone(task, "released"))]);
    this.#processes.delete(process);
  }

  #report(description: FlowDescription, message: Observed): void {
    const isFirst = this.#description === undefined;
    this.#description = description;
    for (const observer of this.#observers) {
      if (isFirst) observer.started?.(this);
      for (const each of message.results) observer.resultsEmitted?.(each);
      for (const each of message.rows) observer.rowsWritten?.(each);
      for (const each of message.batches) observer.batchDone?.(each);
      for (const each of message.commits) observer.commitDone?.(each);
      for (const each of message.deadLetters) observer.deadLetter?.(each);
    }
  }
}

/** A task of a process that has ended: it waits for nothing, and holds nothing back. */
function gone(task: TaskStats, phase: TaskPhase): TaskStats {
  if (task.phase === "ended" || task.phase === "released") return task;
  return { ...task, phase, hold: "nothing", source: { ...task.source, queued: 0 } };
}
