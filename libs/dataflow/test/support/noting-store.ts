import { MemoryStore } from "@millrace/dataflow";
import type { Commit, Store, TaskId } from "@millrace/dataflow";

/** A store in memory that shows each commit before it makes it. */
export function notingStore(note: (commit: Commit, task: TaskId) => void): Store {
  const inner = new MemoryStore();
  return {
    look: (...of) => inner.look(...of),
    close: () => inner.close(),
    async acquire(task) {
      const owned = await inner.acquire(task);
      return {
        fence: owned.fence,
        load: () => owned.load(),
        close: () => owned.close(),
        commit(commit) {
          note(commit, task);
          return owned.commit(commit);
        },
      };
    },
  };
}
