import type { Mutant } from "../mutant.ts";

/** Mutants of libs/redis-store. */
export const REDIS_STORE: readonly Mutant[] = [
  {
    id: "half-a-permission-check",
    file: "libs/redis-store/src/scripts/acquire.ts",
    search:
      "  {'LLEN'}, {'LINDEX', 0}, {'LRANGE', 0, 0}, {'HGET', '-'}, {'XADD', 'NOMKSTREAM', '*', '-', '-'}, {'SCARD'}\n",
    replace: "  {'XADD', 'NOMKSTREAM', '*', '-', '-'}\n",
    tests: ["libs/redis-store/test/redis-store.test.ts"],
    guard: "a user without a permission would be refused in the middle of a commit",
  },
  {
    id: "commit-during-a-load",
    file: "libs/redis-store/src/load-task.ts",
    search: "if (commitNumber !== before.commitNumber || after.waiting > 0) continue;",
    replace: "if (after.waiting > 0) continue;",
    tests: ["libs/redis-store/test/redis-store.test.ts"],
    guard: "a load could mix the state of two commits",
  },
  {
    id: "patience-not-renewed",
    file: "libs/redis-store/src/connection/task-connection.ts",
    search: "      this.#giveUpAt = time.monotonic() + retryMs;\n      return answered;",
    replace: "      return answered;",
    tests: ["libs/redis-store/test/connection/task-connection.test.ts"],
    guard: "a long load that makes progress would give up at the first broken connection",
  },
  {
    id: "large-commit-without-a-pause",
    file: "libs/redis-store/src/commit/pieces.ts",
    search: "if (pieces.length > 0 && pieces.length % PIECES_A_TURN === 0) await breathe();",
    replace: "",
    tests: ["libs/redis-store/test/commit/commit-plan.test.ts"],
    guard: "dividing a large commit would hold the event loop",
  },
  {
    id: "unfinished-commit",
    file: "libs/redis-store/src/redis-task-store.ts",
    search: 'if (kind !== "not-staged" && kind !== "unfinished") return',
    replace: 'if (kind !== "not-staged") return',
    tests: ["libs/redis-store/test/commit/large-commit.test.ts"],
    guard: "a commit after one that is still being applied would fail",
  },
];
