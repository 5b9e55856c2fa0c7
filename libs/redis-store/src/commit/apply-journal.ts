import type { TaskAttempt } from "../connection/task-connection.ts";
import { APPLY } from "../scripts/apply.ts";
import type { TaskKeys } from "../task-keys.ts";

/**
 * Applies what is left of the last commit, piece by piece, so that others get their turn in between.
 *
 * @throws KeyOccupiedError, StateIncompleteError, RedisError: the piece it met is still there whole
 */
export async function applyJournal(
  { script }: TaskAttempt,
  { meta, groups, journal, nothing }: TaskKeys,
): Promise<void> {
  while (Number(await script(APPLY, [meta, groups, journal, nothing], [])) > 0);
}
