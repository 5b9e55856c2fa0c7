import type { TaskConnection } from "./connection/task-connection.ts";
import { ACQUIRE } from "./scripts/acquire.ts";
import type { TaskKeys } from "./task-keys.ts";

/**
 * Takes a task over and returns the new fence.
 *
 * @param owner different for every owner: a request sent twice gets one fence
 */
export function acquireTask(connection: TaskConnection, keys: TaskKeys, owner: string): Promise<number> {
  return connection.run("hand a task over", async ({ script }) =>
    Number(await script(ACQUIRE, [keys.meta, keys.staged, keys.nothing], [owner])),
  );
}
