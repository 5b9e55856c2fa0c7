import type { Commit, CommitOutcome, Store, TaskId, TaskStore } from "@millrace/dataflow";

/** Replaces the store's commit; `inner` is the store's view of the task. */
export type CommitWay = (inner: TaskStore, commit: Commit) => Promise<CommitOutcome>;

/** Returns a store with another commit function. */
export function wrapStore(store: Store, wayFor: (task: TaskId) => CommitWay): Store {
  return {
    wraps: store,
    look: (task, groups) => store.look(task, groups),
    async acquire(task) {
      return wrapTask(await store.acquire(task), wayFor(task));
    },
    close: () => store.close(),
  };
}

/** Returns a store's view of a task with another commit function. */
export function wrapTask(inner: TaskStore, commit: CommitWay): TaskStore {
  return {
    fence: inner.fence,
    load: () => inner.load(),
    commit: (each) => commit(inner, each),
    close: () => inner.close(),
  };
}
