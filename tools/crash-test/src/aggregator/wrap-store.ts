import type { Commit, CommitOutcome, Store, TaskId, TaskStore } from "@millrace/dataflow";

/** Replaces the store's commit; `inner` is the store's view of the task. */
export type CommitWay = (inner: TaskStore, commit: Commit) => Promise<CommitOutcome>;

/** Returns a store with another commit function. */
export function wrapStore(store: Store, wayFor: (task: TaskId) => CommitWay): Store {
  return {
    wraps: store,
    look: (task, groups) => store.look(task, groups),
    async acquire(task) {
      const inner = await store.acquire(task);
      const commit = wayFor(task);
      return {
        fence: inner.fence,
        load: () => inner.load(),
        commit: (each) => commit(inner, each),
        close: () => inner.close(),
      };
    },
    close: () => store.close(),
  };
}
