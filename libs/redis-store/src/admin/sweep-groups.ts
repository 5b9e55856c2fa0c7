import type { Link } from "../connection/task-connection.ts";
import { SWEEP } from "../scripts/forget.ts";
import type { TaskKeys } from "../task-keys.ts";

const GROUPS_A_CALL = 200;

/** Removes what groups a reset left, page by page; a newer owner ends it. */
export async function sweepGroups({ script }: Link, keys: TaskKeys, fence: number): Promise<void> {
  const args = [fence, keys.group(""), GROUPS_A_CALL];
  while (Number(await script(SWEEP, [keys.meta, keys.groups, keys.nothing], args)) > 0);
}
