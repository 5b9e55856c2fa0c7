import type { TaskConnection } from "./connection/task-connection.ts";
import { ACQUIRE } from "./scripts/acquire.ts";
import type { TaskKeys } from "./task-keys.ts";

/**
 * Takes a task over and returns the new fence.
 *
 * @param owner different for every owner: a request sent twice gets one fence
 * @throws RedisRefusedError for a user that lacks a permission: the older owner goes on
 */
export function acquireTask(connection: TaskConnection, keys: TaskKeys, owner: string): Promise<number> {
  const { meta, groups, staged, journal, nothing } = keys;
  // Names of each kind, since groups and results are not known yet.
  const others = [groups, journal, keys.group("-"), keys.window("-", "-"), keys.revisions("-", "-")];
  return connection.run("hand a task over", async ({ script }) =>
    Number(await script(ACQUIRE, [meta, staged, nothing], [owner, ...others])),
  );
}
