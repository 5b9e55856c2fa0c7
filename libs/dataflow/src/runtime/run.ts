import { setMaxListeners } from "node:events";
import type { AssignedTasks, Membership } from "../contracts/assignment.ts";
import type { ClockStep } from "../contracts/time-provider.ts";
import type { Dataflow } from "../dataflow.ts";
import { describe } from "../describe.ts";
import { DrainTimeoutError, FlowError, asSourceError, messageOf } from "../errors.ts";
import { kindOf } from "../graph.ts";
import { requireShareable } from "./check-assignment.ts";
import { checkStart, inputOf } from "./check-start.ts";
import { DeadLetterLog } from "./dead-letter-log.ts";
import { FIXED_ASSIGNMENT } from "./fixed-assignment.ts";
import { namedAsync } from "./name-errors.ts";
import { Observers } from "./observers.ts";
import { resolveRunOptions } from "./options.ts";
import type { ResolvedRunOptions, RunOptions, TaskOptions } from "./options.ts";
import { StartLine, StoppedWhileStarting } from "./start-line.ts";
import type { FlowStats } from "./stats.ts";
import { Task } from "./task.ts";
import type { Unfinished } from "./task.ts";
import type { TaskHistory } from "./task-history.ts";
import { TaskSlot } from "./task-slot.ts";
import { aborted, abortable } from "./waiting.ts";

/** A flow that is running. `await using` stops it at the end of the block. */
export interface RunHandle extends AsyncDisposable {
  /**
   * Settles when every task has ended and closed its resources: with the final figures, or with the error of the first
   * task that failed. With a shared assignment: when the run was stopped, or failed. An unhandled rejection ends the process.
   */
  readonly done: Promise<FlowStats>;
  /** Stops reading, finishes and commits what was read, and awaits that. Idempotent. @returns `done` */
  stop(): Promise<FlowStats>;
  /** The present figures. */
  stats(): FlowStats;
}

/**
 * Runs a flow to the end of its input, or until the option `signal` is aborted: one task for each partition.
 *
 * @returns the final figures; rejects with the error of the first task that failed, and with a FlowError for a flow or
 *   an option that is invalid
 */
export async function run(flow: Dataflow, options: RunOptions = {}): Promise<FlowStats> {
  return await start(flow, options).done;
}

/**
 * Starts a flow and returns a handle to stop it and to look at its figures. Where neither is needed, use {@link run}.
 *
 * @throws FlowError for a flow or an option that is invalid
 */
export function start(flow: Dataflow, options: RunOptions = {}): RunHandle {
  flow.graph.validate();
  const worker = new Worker(flow, options);
  worker.reportStart();
  const done = worker.run();
  const stop = (): Promise<FlowStats> => {
    worker.stop();
    return done;
  };
  return {
    done,
    stop,
    stats: () => worker.stats(),
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

/** The tasks of one run in this process. */
class Worker {
  readonly #flow: Dataflow;
  readonly #given: RunOptions;
  readonly #options: ResolvedRunOptions;
  readonly #observers: Observers;
  readonly #deadLetterLog: DeadLetterLog;
  /** Each step's share of `maxKeys` and `maxStateBytes`. */
  #share: Pick<TaskOptions, "maxKeysPerStep" | "maxStateBytesPerStep"> = {
    maxKeysPerStep: 1,
    maxStateBytesPerStep: 1,
  };
  /** Aborted to stop the run. */
  readonly #stop = new AbortController();
  /** Aborted when stopping takes too long. */
  readonly #abort = new AbortController();
  readonly #slots = new Map<string, TaskSlot>();
  #membership: Promise<Membership> | undefined;
  /** It is a member of a group that shares tasks. */
  #joined = false;
  #failure: { readonly error: unknown } | undefined;
  #cancelDeadline: (() => void) | undefined;
  #saidWaiting = false;
  #ended = false;

  constructor(flow: Dataflow, options: RunOptions) {
    this.#flow = flow;
    this.#given = options;
    this.#options = resolveRunOptions(options);
    requireShareable(flow, options);
    this.#observers = new Observers(options.observers ?? [], this.#options.logger);
    this.#deadLetterLog = new DeadLetterLog(this.#options.logger, this.#options.time);
    // Every task and every connection listens to these signals; that many listeners are no leak.
    setMaxListeners(0, this.#stop.signal, this.#abort.signal);
  }

  /** Shows the run to its observers. */
  reportStart(): void {
    this.#observers.report("started", {
      description: describe(this.#flow),
      stats: () => this.stats(),
      openWindows: (limit) => this.#tasks.flatMap((task) => task.openWindows(limit)),
    });
  }

  async run(): Promise<FlowStats> {
    const { signal } = this.#given;
    const stop = (): void => {
      this.stop();
    };
    if (signal?.aborted === true) this.stop();
    signal?.addEventListener("abort", stop);
    const stopWatching = this.#options.time.onStep(this.#clockWasSet);
    try {
      const parts = await this.#look();
      if (parts !== undefined) {
        this.#divideRoom(parts.length);
        await this.#work(parts);
      }
    } finally {
      this.#ended = true;
      signal?.removeEventListener("abort", stop);
      this.#cancelDeadline?.();
      stopWatching();
      this.#deadLetterLog.endPeriod();
    }
    return this.stats();
  }

  stop(): void {
    // A deadline after the end would keep the process alive.
    if (this.#stop.signal.aborted || this.#ended) return;
    this.#stop.abort(new StoppedWhileStarting());
    const { time, drainTimeoutMs } = this.#options;
    for (const task of this.#tasks) task.stop();
    this.#cancelDeadline = time.wakeAfter(drainTimeoutMs, () => {
      const error = new DrainTimeoutError(
        `flow "${this.#flow.id}" did not finish within ${drainTimeoutMs} ms of being stopped; ${this.#unfinished()}`,
      );
      this.#abort.abort(error);
      for (const task of this.#tasks) task.abort(error);
    });
  }

  /** Describes what an aborted run leaves undone. */
  #unfinished(): string {
    const all = this.#tasks.map((task) => task.unfinished());
    const sum = (of: (each: Unfinished) => number): number =>
      all.reduce((total, each) => total + of(each), 0);
    if (this.#given.store !== undefined) {
      const events = sum(({ uncommitted }) => uncommitted);
      const since =
        events === 0
          ? "no event was read since then"
          : `the ${events} events read since then are read again if the source keeps them, and are lost if it does not (Pub/Sub)`;
      return `the next run continues from the last commit: ${since}`;
    }
    const rows = sum((each) => each.rows);
    const open = sum((each) => each.open);
    const missing = [
      ...(rows === 0 ? [] : [`up to ${rows} rows were not written`]),
      ...(open === 0 ? [] : [`the results of ${open} keys in open windows were not emitted`]),
    ];
    return missing.length === 0
      ? "the outputs have all rows, and may not have sent all of them"
      : `${missing.join(", and ")}; nothing is kept, since the flow runs without a store`;
  }

  readonly #clockWasSet = ({ byMs, skippedMs, aheadMs }: ClockStep): void => {
    const windows = this.#flow.graph.nodes.some((node) => kindOf(node) === "windows");
    const forward = windows
      ? "windows on the system clock whose end has passed close now; event time continues evenly"
      : "time continues from there";
    const what =
      skippedMs === 0 ? `time continues evenly from where it was, ${aheadMs} ms ahead of the clock` : forward;
    this.#options.logger.warn(
      { event: "clock-set", byMs, aheadMs },
      `the system's clock was set ${byMs < 0 ? "back" : "forward"} by ${Math.abs(byMs)} ms: ${what}`,
    );
  };

  stats(): FlowStats {
    const tasks = [...this.#slots.values()].flatMap((slot) => slot.stats());
    return { flow: this.#flow.id, tasks, ...(this.#joined && tasks.length === 0 ? { standby: true } : {}) };
  }

  /** @throws FlowError for an unknown partition, or one that is named twice */
  async #parts(): Promise<readonly string[]> {
    const { id, source } = inputOf(this.#flow);
    const all = await namedAsync(
      () => source.listParts(),
      (error) => asSourceError(error, id),
    );
    const wanted = this.#given.parts ?? all;
    const unknown = wanted.filter((part) => !all.includes(part));
    if (unknown.length > 0) {
      throw new FlowError(
        `flow "${this.#flow.id}": no partition ${unknown.join(", ")}; there are ${all.join(", ")}`,
      );
    }
    const twice = wanted.filter((part, index) => wanted.indexOf(part) !== index);
    if (twice.length > 0) {
      throw new FlowError(
        `flow "${this.#flow.id}": partition ${twice.join(", ")} is named more than once; a partition has one task`,
      );
    }
    return wanted;
  }

  /** The steps of all tasks share one heap. */
  #divideRoom(tasks: number): void {
    const steps = this.#flow.graph.nodes.filter(({ state }) => state !== undefined).length;
    if (steps === 0) return;
    const { maxKeys, maxStateBytes, logger } = this.#options;
    // Without a store this matters only once keys overflow, and those are counted.
    const level = this.#given.store === undefined ? "debug" : "info";
    const shareOf = (all: number): number => Math.max(Math.floor(all / (steps * Math.max(tasks, 1))), 1);
    this.#share = { maxKeysPerStep: shareOf(maxKeys), maxStateBytesPerStep: shareOf(maxStateBytes) };
    const { maxKeysPerStep, maxStateBytesPerStep } = this.#share;
    logger[level](
      { event: "key-bound", maxKeys, maxKeysPerStep, maxStateBytes, maxStateBytesPerStep },
      `state is kept for at most ${maxKeys} keys, ${maxKeysPerStep} in each step of each partition; events of more keys ` +
        `count under an overflow key. Their lists and sets take at most ${inMiB(maxStateBytes)} MiB, ` +
        `${inMiB(maxStateBytesPerStep)} in each step of each partition; rows count more values as overflow. A larger ` +
        "heap (--max-old-space-size) has room for more.",
    );
  }

  /**
   * Checks the start of the run, and changes nothing.
   *
   * @returns the partitions to run; `undefined`: the run was stopped, and nothing is open
   */
  async #look(): Promise<readonly string[] | undefined> {
    const { logger, time, dropState } = this.#options;
    const { signal } = this.#stop;
    try {
      const parts = await abortable(this.#parts(), signal);
      await abortable(
        checkStart(this.#flow, parts, this.#given.store, dropState, { logger, time, signal }),
        signal,
      );
      return parts;
    } catch (error) {
      if (!signal.aborted) throw error;
      logger.warn({ event: "stopped-while-opening" }, messageOf(error));
      return undefined;
    }
  }

  /** The tasks that it has or had. */
  get #tasks(): readonly Task[] {
    return [...this.#slots.values()].flatMap(({ task }) => task ?? []);
  }

  #task(part: string, history: TaskHistory, startLine: StartLine | undefined): Task {
    const options = {
      ...this.#options,
      ...this.#share,
      observers: this.#observers,
      deadLetterLog: this.#deadLetterLog,
    };
    const task = new Task(this.#flow, part, options, this.#given.store, history, startLine, () => {
      // No task ends until all are idle: a partition that pauses has not ended while another still runs.
      if (!this.#tasks.every((each) => each.idle)) return;
      if (this.#options.idleFrom === "start" || this.#tasks.some(({ begun }) => begun)) {
        for (const each of this.#tasks) each.endInput();
      } else this.#sayWaiting();
    });
    if (this.#stop.signal.aborted) task.stop();
    return task;
  }

  /** Logs once that an event is missing for an idle end. */
  #sayWaiting(): void {
    const { exitWhenIdleMs, logger } = this.#options;
    if (this.#saidWaiting || exitWhenIdleMs === Infinity) return;
    this.#saidWaiting = true;
    logger.info(
      { event: "waiting-for-first-event", exitWhenIdleMs },
      `waiting for the first event; after it, the run ends when it is idle for ${exitWhenIdleMs} ms`,
    );
  }

  /** Has the tasks that the assignment hands out: until it is stopped or, if they stay here, until the last one ends. */
  async #work(parts: readonly string[]): Promise<void> {
    const { assignment = FIXED_ASSIGNMENT } = this.#given;
    const { logger, time } = this.#options;
    const startLine = assignment.shared ? undefined : new StartLine(parts.length);
    const tasks: AssignedTasks = {
      assigned: (part) => {
        this.#slot(part, assignment.shared).open(startLine).catch(this.#fail);
      },
      revoked: (part) => this.#slot(part, assignment.shared).release(),
      lost: (part) => {
        this.#slot(part, assignment.shared).lose();
      },
      failed: this.#fail,
    };
    const context = { flow: this.#flow.id, logger, time, signal: this.#abort.signal };
    const joined = abortable(assignment.join(parts, tasks, context), this.#abort.signal);
    this.#membership = joined;
    joined.then(() => {
      this.#joined = assignment.shared;
    }, this.#fail);
    if (assignment.shared) await aborted(this.#stop.signal);
    else await this.#tasksEnded();
    await this.#leave(joined);
    await this.#tasksEnded();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #slot(part: string, shared: boolean): TaskSlot {
    const known = this.#slots.get(part);
    if (known !== undefined) return known;
    const slot = new TaskSlot(part, {
      flow: this.#flow.id,
      store: this.#given.store,
      options: this.#options,
      shared,
      stop: this.#stop.signal,
      abort: this.#abort.signal,
      task: (...of) => this.#task(...of),
      confirm: async (of) => (await this.#membership)?.confirm(of) ?? false,
    });
    this.#slots.set(part, slot);
    return slot;
  }

  /** One failure stops the other tasks, which finish and commit; then it is thrown. */
  readonly #fail = (error: unknown): void => {
    this.#failure ??= { error };
    this.stop();
  };

  async #tasksEnded(): Promise<void> {
    await Promise.allSettled([...this.#slots.values()].flatMap(({ running }) => running ?? []));
  }

  /** A worker that cannot leave has committed its tasks; the others get them when its lease ends. */
  async #leave(joined: Promise<Membership>): Promise<void> {
    try {
      const membership = await joined.catch(() => undefined);
      await abortable(membership?.leave() ?? Promise.resolve(), this.#abort.signal);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#options.logger.warn(
        { event: "leave-failed" },
        `cannot leave the other workers: ${messageOf(error)}`,
      );
    }
  }
}

function inMiB(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(bytes < 100 * 2 ** 20 ? 1 : 0);
}
