import type {
  Commit,
  CommitOutcome,
  Store,
  TaskHead,
  TaskId,
  TaskState,
  TaskStore,
} from "../contracts/store.ts";

/** Where a commit is cut short: before it reached the store, or after it was applied but before the reply came. */
export type CrashPoint = "before" | "after";

/** A crash on purpose. */
export class SimulatedCrash extends Error {}

/** A store whose user dies at the commits that a test chooses; what was applied stays in the inner store. */
export class CrashingStore implements Store {
  readonly #inner: Store;
  readonly #choose: (commit: Commit) => CrashPoint | undefined;

  /** @param choose says for each commit whether, and where, the task dies */
  constructor(inner: Store, choose: (commit: Commit) => CrashPoint | undefined) {
    this.#inner = inner;
    this.#choose = choose;
  }

  /** The inner store: its sinks may be used with this one. */
  get wraps(): Store {
    return this.#inner;
  }

  look(task: TaskId, groups?: readonly string[]): Promise<TaskHead | undefined> {
    return this.#inner.look(task, groups);
  }

  async acquire(task: TaskId): Promise<TaskStore> {
    return new CrashingTaskStore(await this.#inner.acquire(task), this.#choose);
  }

  /** The inner store stays open: it outlives the crash. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

class CrashingTaskStore implements TaskStore {
  readonly fence: number;
  readonly #inner: TaskStore;
  readonly #choose: (commit: Commit) => CrashPoint | undefined;

  constructor(inner: TaskStore, choose: (commit: Commit) => CrashPoint | undefined) {
    this.#inner = inner;
    this.fence = inner.fence;
    this.#choose = choose;
  }

  load(): Promise<TaskState | undefined> {
    return this.#inner.load();
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    const point = this.#choose(commit);
    if (point === "before") throw new SimulatedCrash(`before commit ${commit.number}`);
    const outcome = await this.#inner.commit(commit);
    if (point === "after") throw new SimulatedCrash(`after commit ${commit.number}`);
    return outcome;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
