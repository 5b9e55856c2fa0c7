import { MemoryStore } from "@millrace/dataflow";
import type { Commit, Store, TaskHead, TaskId, TaskStore } from "@millrace/dataflow";

/** A store of one task that a test can put back to how it was after any commit, while the task runs on it. */
export class RestorableStore implements Store {
  readonly #task: TaskId;
  #inner = new MemoryStore();
  #commits: Commit[] = [];
  acquired = 0;

  constructor(task: TaskId) {
    this.#task = task;
  }

  get commits(): readonly Commit[] {
    return this.#commits;
  }

  look(task: TaskId): Promise<TaskHead | undefined> {
    return this.#inner.look(task);
  }

  async acquire(task: TaskId): Promise<TaskStore> {
    this.acquired += 1;
    const store = this.#inner;
    const owned = await store.acquire(task);
    return {
      fence: owned.fence,
      load: () => owned.load(),
      close: () => owned.close(),
      commit: async (commit) => {
        if (this.#inner !== store) return { kind: "rolled-back", stored: this.#commits.length };
        this.#commits.push(JSON.parse(JSON.stringify(commit)) as Commit);
        return owned.commit(commit);
      },
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** @param number of the last commit that is to be there; 0: none is */
  async restore(number: number): Promise<void> {
    this.#inner = new MemoryStore();
    this.#commits = this.#commits.slice(0, number);
    const owned = await this.#inner.acquire(this.#task);
    for (const commit of this.#commits) await owned.commit(commit);
  }
}
