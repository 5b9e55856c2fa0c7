import { randomUUID } from "node:crypto";
import type { TaskId } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { acquireTask } from "../scripts/acquire.ts";
import { FORGET } from "../scripts/forget.ts";
import { clearTask, taken } from "./clear-task.ts";
import { withTask } from "./with-task.ts";
import type { TaskAccessOptions } from "./with-task.ts";

/** How to reset a task. */
export interface ResetTaskOptions extends TaskAccessOptions {
  /**
   * Where the next run begins, in words of its source: a time or an entry's id of a stream, a time or an offset of a topic.
   * It continues there until it has committed. `@default where the source begins, for a task without a commit`
   */
  readonly start?: string;
  /**
   * Also removes the rows of its result sinks; with `from` (ms) those of windows that open then or later, of the results'
   * `version`. Entries of result streams have no window, and stay then. `@default false: rows of the next run replace them one by one`
   */
  readonly results?: boolean | { readonly from: number; readonly version?: string };
}

/** The result of a reset. */
export interface ResetReport {
  /** Every owner up to this fence is refused from then on. */
  readonly fence: number;
  /** Streams and hashes of results that were removed. */
  readonly resultKeys: number;
  /** Streams of results that are still there, after `from` of the `version` only: what is read again is appended to them again. */
  readonly resultStreams: readonly string[];
}

/**
 * Deletes a task's state, as if it had never committed. Its fence stays and grows, so that an owner that still runs is stopped
 * and cannot bring the old state back.
 *
 * @throws FencedError if a worker acquires the task at the same time
 * @throws RedisError, StoreUnavailableError; the reason of the signal
 */
export function resetTask(
  redis: RedisConnectionOptions,
  task: TaskId,
  { start = "", results = false, ...options }: ResetTaskOptions = {},
): Promise<ResetReport> {
  return withTask(redis, task, options, async (connection, keys) => {
    const fence = await acquireTask(connection, keys, randomUUID());
    const { meta, groups, staged, journal } = keys;
    return connection.run("reset a task", async (attempt) => {
      // From here on the task has no state; if this process crashes halfway, the next owner clears the rest.
      const forgotten = await attempt.script(FORGET, [meta, groups, staged, journal], [fence, start]);
      if (forgotten !== 1) throw taken(keys);
      return { fence, ...(await clearTask(attempt, keys, fence, results)) };
    });
  });
}
