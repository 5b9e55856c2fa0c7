import type { Store } from "@millrace/dataflow";
import { wrapStore } from "./wrap-store.ts";
import type { CommitWay } from "./wrap-store.ts";

/** A store without the fence. */
export function withoutFence(store: Store): Store {
  return wrapStore(store, () => unfenced);
}

/** A refused worker commits again with the newest fence. */
export const unfenced: CommitWay = async (inner, commit) => {
  for (;;) {
    const outcome = await inner.commit(commit);
    if (outcome.kind !== "fenced") return outcome;
    Object.assign(inner, { fence: outcome.owner });
  }
};

/** A store without the commit's number: a commit that is sent twice is applied twice. */
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
