import type { Store } from "@millrace/dataflow";
import { inspectTask } from "@millrace/redis-store";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { wrapStore } from "./wrap-store.ts";

/** As if the store did not look at the fence: whoever commits presents the newest one. */
export function withoutFence(store: Store, redis: RedisConnectionOptions): Store {
  return wrapStore(store, () => async (inner, commit, task) => {
    const newest = await inspectTask(redis, task);
    return Object.assign(inner, { fence: newest?.fence ?? inner.fence }).commit(commit);
  });
}

/** As if the store did not look at the commit's number: what is sent twice is applied twice. */
export function withoutCommitNumber(store: Store): Store {
  return wrapStore(store, () => {
    let ahead = 0;
    return async (inner, commit) => {
      const outcome = await inner.commit({ ...commit, number: commit.number + ahead });
      if (outcome.kind === "already-applied") ahead += 1;
      else if (outcome.kind === "rolled-back") ahead = outcome.stored + 1 - commit.number;
      else return outcome;
      return inner.commit({ ...commit, number: commit.number + ahead });
    };
  });
}
