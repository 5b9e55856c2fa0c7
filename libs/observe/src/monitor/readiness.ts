import type { FlowStats, TaskStats, TimeProvider } from "@millrace/dataflow";
import type { Readiness } from "../api/schemas.ts";

/** How long (ms) a batch or a probe may take before its task counts as stalled. */
const STALLED_AFTER_MS = 30_000;
/** How long (ms) a partition may be without an event before that is noted. */
const QUIET_AFTER_MS = 30_000;

/**
 * Whether all tasks of a run work: they are open, connected, and none is stalled, which is one that has had a batch in
 * progress or a probe outstanding for 30 s without any sign of progress. A partition without events is ready, and so is a
 * worker that shares tasks with others and has none.
 */
export class ReadinessWatch {
  readonly #time: TimeProvider;
  /** When each task was last seen to make progress, or to have nothing to do; monotonic, ms. */
  readonly #progress = new Map<string, number>();

  constructor(time: TimeProvider) {
    this.#time = time;
  }

  /** A task has finished something. */
  progressed(part: string): void {
    this.#progress.set(part, this.#time.monotonic());
  }

  /** Has to be called each second or so: between two calls a task that was at rest counts as busy. */
  look({ tasks }: FlowStats): void {
    for (const task of tasks) {
      if (!isBusy(task) || !this.#progress.has(task.part)) this.progressed(task.part);
    }
  }

  view(stats: FlowStats | undefined): Readiness {
    if (stats?.standby === true) return { status: "ready", reason: null, tasks: [] };
    if (stats === undefined || stats.tasks.length === 0) {
      const reason = "the run is starting: its tasks are not open yet";
      return { status: "not-ready", reason, tasks: [] };
    }
    this.look(stats);
    const tasks = stats.tasks.map((task) => {
      const reason = this.#notReady(task);
      return reason === undefined
        ? { part: task.part, ready: true, reason: this.#note(task) }
        : { part: task.part, ready: false, reason };
    });
    const waiting = tasks.filter(({ ready }) => !ready);
    const [first] = waiting;
    if (first === undefined) return { status: "ready", reason: null, tasks };
    const more = waiting.length === 1 ? "" : `, and ${waiting.length - 1} more`;
    return { status: "not-ready", reason: `partition ${first.part}: ${first.reason ?? ""}${more}`, tasks };
  }

  #notReady(task: TaskStats): string | undefined {
    switch (task.phase) {
      case "starting":
        return "is starting";
      case "reloading":
        return "loads its state again, since the store was rolled back";
      case "stopping":
        return "is stopping";
      case "failed":
        return "has failed; the log says why";
      case "ended":
      case "released":
        return undefined;
      case "running":
      case "waiting":
    }
    if (task.source.connected === false) return "not connected: check that Redis runs and can be reached";
    const forMs = this.#time.monotonic() - (this.#progress.get(task.part) ?? 0);
    if (!isBusy(task) || forMs <= STALLED_AFTER_MS) return undefined;
    const what = task.hold === "probe" ? "the source has not answered a probe" : "a batch is not done";
    return `stalled: ${what} for ${seconds(forMs)}`;
  }

  #note(task: TaskStats): string | null {
    if (task.phase === "ended") return "its input has ended";
    if (task.phase === "released") return "is with another worker";
    if (task.lastEventAt === undefined) return "no data yet";
    const quietMs = this.#time.now() - task.lastEventAt;
    return quietMs > QUIET_AFTER_MS ? `no data for ${seconds(quietMs)}` : null;
  }
}

function isBusy({ phase, hold }: TaskStats): boolean {
  return phase === "running" || hold === "probe";
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
