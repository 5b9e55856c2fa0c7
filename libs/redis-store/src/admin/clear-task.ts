import { FencedError } from "@millrace/dataflow";
import type { TaskAttempt } from "../connection/task-connection.ts";
import { REMOVE, RESET_DONE } from "../scripts/forget.ts";
import type { TaskKeys } from "../task-keys.ts";

/**
 * Removes what a task that was forgotten has left: groups, noted revisions and, where asked, results. It goes by the
 * keys that are there, since an index may be what was lost.
 *
 * @returns how many keys of results there were
 * @throws FencedError when a worker has taken the task
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
      const gone = Number(await script(REMOVE, [keys.meta, keys.nothing, ...found], [fence]));
      if (gone < 0) throw taken(keys);
      removed += gone;
    }
    cursor = next;
  } while (cursor !== "0");
  return removed;
}

/** What to say when a reset met a worker. */
export function taken({ base }: TaskKeys): FencedError {
  return new FencedError(`${base}: a worker has just taken the task. Stop it, then reset again.`);
}
