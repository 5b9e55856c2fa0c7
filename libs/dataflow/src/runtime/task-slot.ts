import type { Store } from "../contracts/store.ts";
import { FencedError, MillraceError, messageOf } from "../errors.ts";
import { RolledBack } from "./committer.ts";
import type { ResolvedRunOptions } from "./options.ts";
import type { StartLine } from "./start-line.ts";
import type { TaskStats } from "./stats.ts";
import type { Task } from "./task.ts";
import { TaskHistory } from "./task-history.ts";
import { abortable, pause } from "./waiting.ts";

/** Pauses (ms) before a task is opened again after a rollback, a takeover or a failed opening: none at first, then growing. */
const REOPEN_PAUSES_MS = [0, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
/** A task that ran for this long (ms) since it was opened is reopened without a pause again. */
const CALM_MS = 60_000;

/** What the slots of a worker share. */
export interface SlotContext {
  readonly flow: string;
  readonly store: Store | undefined;
  readonly options: ResolvedRunOptions;
  /** Whether tasks come and go. */
  readonly shared: boolean;
  /** Aborted to stop the run. */
  readonly stop: AbortSignal;
  /** Aborted when stopping takes too long. */
  readonly abort: AbortSignal;
  /** @param startLine where the tasks of a starting run wait for each other */
  readonly task: (part: string, history: TaskHistory, startLine: StartLine | undefined) => Task;
  /** Whether a partition whose task was taken over is still this worker's. */
  readonly confirm: (part: string) => Promise<boolean>;
}

/** The reason of a task that is aborted because another worker may have it. */
class TaskLost extends Error {}

/** One partition at one worker: the task, if the worker has it, and the counts of all the lives that it had here. */
export class TaskSlot {
  readonly part: string;
  readonly #context: SlotContext;
  readonly #history: TaskHistory;
  #task: Task | undefined;
  /** The worker is to have the task. */
  #wanted = false;
  /** How often the task was assigned. */
  #terms = 0;
  #running: Promise<void> | undefined;
  /** Was aborted: whatever error it ends with is a consequence. */
  #aborted: Task | undefined;
  #failed = false;
  /** Aborted when the worker is not to have the task any more. */
  #given = new AbortController();

  constructor(part: string, context: SlotContext) {
    this.part = part;
    this.#context = context;
    this.#history = new TaskHistory(context.shared);
  }

  /** The task, also one that has ended; `undefined` before the first one. */
  get task(): Task | undefined {
    return this.#task;
  }

  /** Settles as `open` does; `undefined`: it has no task. */
  get running(): Promise<void> | undefined {
    return this.#running;
  }

  stats(): readonly TaskStats[] {
    if (this.#task === undefined) return [];
    const stats = this.#task.stats();
    const gone = !this.#wanted && this.#running === undefined && !this.#failed;
    return [this.#context.shared && gone ? { ...stats, phase: "released" } : stats];
  }

  /** The worker has the task. @returns when it has ended, or was given up; rejects when it failed */
  open(startLine?: StartLine): Promise<void> {
    this.#wanted = true;
    this.#terms += 1;
    this.#given = new AbortController();
    this.#running ??= this.#run(startLine);
    return this.#running;
  }

  /** Finishes, commits and closes the task. If that takes too long, it is aborted. */
  async release(): Promise<void> {
    this.#giveUp();
    this.#task?.stop();
    const { stop, options } = this.#context;
    const { time, logger, drainTimeoutMs } = options;
    const cancel = time.wakeAfter(drainTimeoutMs, () => {
      // A run that is stopped has a limit of its own, and fails at it.
      if (stop.aborted) return;
      logger.warn(
        { event: "task-release-overdue", part: this.part, drainTimeoutMs },
        `partition "${this.part}" did not finish within ${drainTimeoutMs} ms: it is aborted, and its next owner continues from the last commit`,
      );
      this.lose();
    });
    await this.#running?.catch(() => undefined);
    cancel();
  }

  /** Aborts the task: it commits nothing more. */
  lose(): void {
    this.#giveUp();
    this.#aborted = this.#task;
    this.#task?.abort(new TaskLost(`partition "${this.part}" may have another owner`));
  }

  #giveUp(): void {
    this.#wanted = false;
    this.#given.abort();
  }

  async #run(startLine: StartLine | undefined): Promise<void> {
    const { time } = this.#context.options;
    try {
      for (let again = 0; this.#wanted; again += 1) {
        this.#task?.moveCounts();
        const task = this.#context.task(this.part, this.#history, again === 0 ? startLine : undefined);
        this.#task = task;
        const began = time.monotonic();
        try {
          await task.run();
          return;
        } catch (error) {
          if (time.monotonic() - began >= CALM_MS) again = 0;
          await this.#mayReopen(error, REOPEN_PAUSES_MS[again] ?? REOPEN_PAUSES_MS.at(-1) ?? 0);
        }
      }
    } finally {
      this.#running = undefined;
    }
  }

  /** A life of the task is over. Returns when the next one may begin, if the task is still wanted; else it throws. */
  async #mayReopen(error: unknown, pauseMs: number): Promise<void> {
    if (this.#task === this.#aborted) this.#logLost();
    else if (error instanceof RolledBack) await this.#reload(error, pauseMs);
    else if (this.#context.shared && error instanceof FencedError) await this.#drop(error, pauseMs);
    else if (this.#context.shared && isPassing(error) && this.#task?.opened === false)
      await this.#openLater(error, pauseMs);
    else {
      this.#failed = true;
      throw error;
    }
  }

  async #reload(error: RolledBack, pauseMs: number): Promise<void> {
    const { stop, options } = this.#context;
    const pauses = pauseMs === 0 ? "" : ` in ${pauseMs} ms`;
    options.logger.warn(
      { event: "rolled-back", part: this.part, pauseMs },
      `${messageOf(error)}; reloading${pauses}`,
    );
    await this.#pause(pauseMs);
    // All commits are in the store, and there is nothing else to finish.
    if (!stop.aborted) return;
    this.#wanted = false;
    await this.#lookAtFigures();
  }

  /** A task that is not reopened does not load which of its counts are still valid. */
  async #lookAtFigures(): Promise<void> {
    const { flow, store, abort, options } = this.#context;
    try {
      const looked = store?.look({ flow, part: this.part }) ?? Promise.resolve(undefined);
      const head = await abortable(looked, abort);
      this.#history.resumed(head?.counts);
    } catch (error) {
      options.logger.warn({ event: "figures-unknown", part: this.part }, messageOf(error));
    }
  }

  /** The store has another owner. If the assignment has not, that owner was late, and the task is opened again. */
  async #drop(error: FencedError, pauseMs: number): Promise<void> {
    const { stop, options, confirm } = this.#context;
    this.#history.fenced();
    options.logger.warn(
      { event: "task-dropped", part: this.part },
      `${messageOf(error)}; it is dropped here`,
    );
    await this.#pause(pauseMs);
    if (!this.#wanted || stop.aborted) {
      this.#wanted = false;
      return;
    }
    const terms = this.#terms;
    const confirmed = await confirm(this.part);
    if (terms !== this.#terms) return;
    this.#wanted &&= confirmed;
    const next = this.#wanted ? "is still assigned to this worker, and is opened again" : "stays there";
    options.logger.info({ event: "task-confirmed", part: this.part }, `partition "${this.part}" ${next}`);
  }

  /** What it reads or writes is away for now: the worker keeps its other tasks, and its place among the others. */
  async #openLater(error: MillraceError, pauseMs: number): Promise<void> {
    const { stop, options } = this.#context;
    options.logger.warn(
      { event: "task-not-opened", part: this.part, code: error.code, pauseMs },
      `partition "${this.part}" cannot be opened yet: ${messageOf(error)} Trying again in ${pauseMs} ms`,
    );
    await this.#pause(pauseMs);
    if (stop.aborted) this.#wanted = false;
  }

  /** Ends early when the run stops, or the task is given up. */
  async #pause(ms: number): Promise<void> {
    const { stop, options } = this.#context;
    if (ms > 0) await pause(options.time, ms, AbortSignal.any([stop, this.#given.signal]));
  }

  #logLost(): void {
    this.#context.options.logger.warn(
      { event: "task-lost", part: this.part },
      `partition "${this.part}" was given up without a commit, since another worker may have it`,
    );
  }
}

function isPassing(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.retryable;
}
