import type { Dataflow } from "../dataflow.ts";
import { DrainTimeoutError, FlowError, messageOf } from "../errors.ts";
import { abortable } from "./abortable.ts";
import { RolledBack } from "./committer.ts";
import { resolveRunOptions } from "./options.ts";
import type { RunOptions, TaskOptions } from "./options.ts";
import type { FlowStats } from "./stats.ts";
import { Task } from "./task.ts";

/** A flow that is running. */
export interface RunHandle {
  /**
   * Settles when every task has ended and closed what it opened: with the final figures, or with the error of the
   * first task that failed.
   */
  readonly done: Promise<FlowStats>;
  /** Ends the intake, finishes and commits what was read, and waits for that. Any number of calls is one stop. */
  stop(): Promise<FlowStats>;
  /** Figures at this moment. */
  stats(): FlowStats;
}

/**
 * Runs a flow: one task for each partition.
 *
 * @throws FlowError for a flow or an option that cannot be
 */
export function run(flow: Dataflow, options: RunOptions = {}): RunHandle {
  flow.graph.validate();
  const worker = new Worker(flow, options);
  const done = worker.run();
  // Whoever only calls stop() has the failure there; it is not unhandled here.
  done.catch(() => undefined);
  return {
    done,
    stop: () => {
      worker.stop();
      return done;
    },
    stats: () => worker.stats(),
  };
}

/** The tasks of one run in this process. */
class Worker {
  readonly #flow: Dataflow;
  readonly #given: RunOptions;
  readonly #options: TaskOptions;
  readonly #abort = new AbortController();
  #tasks: Task[] = [];
  /** Tasks that had to reload: what they counted still counts. */
  readonly #reloaded: Task[] = [];
  #stopping = false;
  #cancelDeadline: (() => void) | undefined;

  constructor(flow: Dataflow, options: RunOptions) {
    this.#flow = flow;
    this.#given = options;
    this.#options = resolveRunOptions(options);
  }

  async run(): Promise<FlowStats> {
    const { signal } = this.#given;
    const stop = (): void => {
      this.stop();
    };
    if (signal?.aborted === true) this.stop();
    signal?.addEventListener("abort", stop);
    try {
      const parts = await abortable(this.#parts(), this.#abort.signal);
      this.#tasks = parts.map((part) => this.#task(part));
      await this.#runAll();
    } finally {
      signal?.removeEventListener("abort", stop);
      this.#cancelDeadline?.();
    }
    return this.stats();
  }

  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const { time, drainTimeoutMs } = this.#options;
    for (const task of this.#tasks) task.stop();
    this.#cancelDeadline = time.wakeAt(time.now() + drainTimeoutMs, () => {
      const error = new DrainTimeoutError(
        `flow "${this.#flow.id}" did not finish within ${drainTimeoutMs} ms of being stopped; what was not committed is read again by the next run`,
      );
      this.#abort.abort(error);
      for (const task of this.#tasks) task.abort(error);
    });
  }

  stats(): FlowStats {
    return { flow: this.#flow.id, tasks: [...this.#reloaded, ...this.#tasks].map((task) => task.stats()) };
  }

  async #parts(): Promise<readonly string[]> {
    const all = (await this.#flow.graph.input?.source.listParts()) ?? [];
    const wanted = this.#given.parts ?? all;
    const unknown = wanted.filter((part) => !all.includes(part));
    if (unknown.length > 0) {
      throw new FlowError(
        `flow "${this.#flow.id}": no partition ${unknown.join(", ")}; there are ${all.join(", ")}`,
      );
    }
    return wanted;
  }

  #task(part: string): Task {
    const task = new Task(this.#flow, part, this.#options, this.#given.store, () => {
      // Until all are idle none ends: a partition that pauses is not over while another still runs.
      const idle = this.#tasks.every((each) => each.idle) && this.#tasks.some(({ begun }) => begun);
      if (idle) for (const each of this.#tasks) each.endInput();
    });
    if (this.#stopping) task.stop();
    return task;
  }

  /** One failure stops the others, which finish and commit; then it is thrown. */
  async #runAll(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    await Promise.all(
      this.#tasks.map(async (task, index) => {
        try {
          await this.#runTask(task, index);
        } catch (error) {
          failure ??= { error };
          this.stop();
        }
      }),
    );
    if (failure !== undefined) throw failure.error;
  }

  async #runTask(task: Task, index: number): Promise<void> {
    for (let current = task; ;) {
      try {
        await current.run();
        return;
      } catch (error) {
        if (!(error instanceof RolledBack)) throw error;
        this.#options.logger.warn(
          { event: "rolled-back", part: current.part },
          `${messageOf(error)}; reloading`,
        );
        this.#reloaded.push(current);
        current = this.#task(current.part);
        this.#tasks[index] = current;
      }
    }
  }
}
