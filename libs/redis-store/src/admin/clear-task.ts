import { FencedError } from "@millrace/dataflow";
import type { TaskAttempt } from "../connection/task-connection.ts";
import { REMOVE, RESET_DONE } from "../scripts/forget.ts";
import { isOfVersion } from "../sinks/output-name.ts";
import type { TaskKeys } from "../task-keys.ts";

/**
 * Removes what is left of a task that was forgotten: groups, noted revisions and, if asked, results. It searches for the
 * keys that exist, since an index may be lost.
 *
 * @param results whether results are removed; `from` (ms): those of windows that open then or later, of this version
 * @returns how many keys of results were removed, and the streams of results (of this version) that are still there
 * @throws FencedError if a worker has acquired the task
 */
export async function clearTask(
  attempt: TaskAttempt,
  keys: TaskKeys,
  fence: number,
  results: boolean | { readonly from: number; readonly version?: string } = false,
): Promise<{ readonly resultKeys: number; readonly resultStreams: readonly string[] }> {
  const all = (found: readonly string[]): Promise<readonly string[]> => Promise.resolve(found);
  await removeAll(attempt, keys, fence, keys.pattern("group"), all);
  await removeAll(attempt, keys, fence, keys.pattern("revisions"), all);
  const resultStreams = new Set<string>();
  const resultKeys = await removeAll(attempt, keys, fence, keys.pattern("results"), async (found) => {
    if (results === true) return found;
    const windows: string[] = [];
    for (const key of found) {
      const { output, window } = keys.outputIn(key);
      if (results !== false && !isOfVersion(output, results.version)) continue;
      if (window === undefined) resultStreams.add(key);
      else if (results !== false && (await openOf(attempt, key, window)) >= results.from) windows.push(key);
    }
    return windows;
  });
  if ((await attempt.script(RESET_DONE, [keys.meta], [fence])) !== 1) throw taken(keys);
  return { resultKeys, resultStreams: [...resultStreams].sort() };
}

/** @param choose which of the keys found are removed */
async function removeAll(
  { client, answer, script }: TaskAttempt,
  keys: TaskKeys,
  fence: number,
  pattern: string,
  choose: (found: readonly string[]) => Promise<readonly string[]>,
): Promise<number> {
  let removed = 0;
  let cursor = "0";
  do {
    const [next, found] = await answer(client.scan(cursor, "MATCH", pattern, "COUNT", 1_000));
    const chosen = await choose(found);
    if (chosen.length > 0) {
      const gone = Number(await script(REMOVE, [keys.meta, keys.absent, ...chosen], [fence]));
      if (gone < 0) throw taken(keys);
      removed += gone;
    }
    cursor = next;
  } while (cursor !== "0");
  return removed;
}

/**
 * When a window opens, ms. A window is named by that; a session by the event that opened it, which an earlier one may have
 * followed: its row may say more.
 */
async function openOf({ client, answer }: TaskAttempt, hash: string, window: string): Promise<number> {
  const named = Number.parseFloat(window);
  if (/^-?\d+$/.test(window)) return named;
  const [, [, row = ""]] = await answer(client.hscan(hash, "0"));
  const open = openIn(row);
  return open ?? named;
}

/** The time in `window.open` of a row, where it has one. */
function openIn(row: string): number | undefined {
  const value: unknown = row === "" ? undefined : JSON.parse(row);
  if (typeof value !== "object" || value === null || !("window" in value)) return undefined;
  const { window } = value;
  if (typeof window !== "object" || window === null || !("open" in window)) return undefined;
  return typeof window.open === "number" ? window.open : undefined;
}

/** The error of a reset that a worker interrupts. */
export function taken({ base }: TaskKeys): FencedError {
  return new FencedError(`${base}: a worker has just acquired the task. Stop it, then reset again.`);
}
