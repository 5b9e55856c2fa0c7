import { FencedError } from "@millrace/dataflow";
import type { TaskAttempt } from "../connection/task-connection.ts";
import { REMOVE, RESET_DONE } from "../scripts/forget.ts";
import type { TaskKeys } from "../task-keys.ts";

/**
 * Removes what is left of a task that was forgotten: groups, noted revisions and, if asked, results. It searches for the
 * keys that exist, since an index may be lost.
 *
 * @returns how many keys of results were removed
 * @throws FencedError if a worker has acquired the task
 */
export async function clearTask(
  attempt: TaskAttempt,
  keys: TaskKeys,
  fence: number,
  { results = false }: { readonly results?: boolean } = {},
): Promise<number> {
  await removeAll(attempt, keys, fence, keys.pattern("group"));
  await removeAll(attempt, keys, fence, keys.pattern("revisions"));
  const removed = results ? await removeAll(attempt, keys, fence, keys.pattern("results")) : 0;
  if ((await attempt.script(RESET_DONE, [keys.meta], [fence])) !== 1) throw taken(keys);
  return removed;
}

async function removeAll(
  { client, answer, script }: TaskAttempt,
  keys: TaskKeys,
  fence: number,
  pattern: string,
): Promise<number> {
  let removed = 0;
  let cursor = "0";
  do {
    const [next, found] = await answer(client.scan(cursor, "MATCH", pattern, "COUNT", 1_000));
    if (found.length > 0) {
      const gone = Number(await script(REMOVE, [keys.meta, keys.absent, ...found], [fence]));
      if (gone < 0) throw taken(keys);
      removed += gone;
    }
    cursor = next;
  } while (cursor !== "0");
  return removed;
}

/** The error of a reset that a worker interrupts. */
export function taken({ base }: TaskKeys): FencedError {
  return new FencedError(`${base}: a worker has just acquired the task. Stop it, then reset again.`);
}
