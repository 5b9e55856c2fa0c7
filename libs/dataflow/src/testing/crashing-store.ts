import type {
  Commit,
  CommitOutcome,
  Store,
  TaskHead,
  TaskId,
  TaskState,
  TaskStore,
} from "../contracts/store.ts";

/** Where a commit crashes: before it reaches the store, or after it was applied but before the reply. */
export type CrashPoint = "before" | "after";

/** A deliberate crash. */
export class SimulatedCrash extends Error {}

/** A store that crashes at the commits that a test chooses; applied commits stay in the inner store. */
export class CrashingStore implements Store {
  readonly #inner: Store;
  readonly #choose: (commit: Commit) => CrashPoint | undefined;

  /** @param choose decides for each commit whether, and where, the task crashes */
  constructor(inner: Store, choose: (commit: Commit) => CrashPoint | undefined) {
    this.#inner = inner;
    this.#choose = choose;
  }

  /** The inner store: its sinks may be used with this one. */
  get wraps(): Store {
    return this.#inner;
  }

  look(task: TaskId, wanted?: (group: string) => boolean): Promise<TaskHead | undefined> {
    return this.#inner.look(task, wanted);
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
