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
  /** Also removes the rows of its result sinks. `@default false: rows of the next run replace them one by one` */
  readonly results?: boolean;
}

/** The result of a reset. */
export interface ResetReport {
  /** Every owner up to this fence is refused from then on. */
  readonly fence: number;
  /** Streams and hashes of results that were removed. */
  readonly resultKeys: number;
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
  { results = false, ...options }: ResetTaskOptions = {},
): Promise<ResetReport> {
  return withTask(redis, task, options, async (connection, keys) => {
    const fence = await acquireTask(connection, keys, randomUUID());
    const { meta, groups, staged, journal } = keys;
    return connection.run("reset a task", async (attempt) => {
      // From here on the task has no state; if this process crashes halfway, the next owner clears the rest.
      if ((await attempt.script(FORGET, [meta, groups, staged, journal], [fence])) !== 1) throw taken(keys);
      return { fence, resultKeys: await clearTask(attempt, keys, fence, { results }) };
    });
  });
}
