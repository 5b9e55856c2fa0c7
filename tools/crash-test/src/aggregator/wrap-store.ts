import type { Commit, CommitOutcome, Store, TaskStore } from "@millrace/dataflow";

/** Makes a commit in place of the store's own way; `inner` is the store's view of the task. */
export type CommitWay = (inner: TaskStore, commit: Commit) => Promise<CommitOutcome>;

/** A store whose commits go another way. */
export function wrapStore(store: Store, wayFor: () => CommitWay): Store {
  return {
    wraps: store,
    look: (task, groups) => store.look(task, groups),
    async acquire(task) {
      const inner = await store.acquire(task);
      const commit = wayFor();
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
