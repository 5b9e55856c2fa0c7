import { randomUUID } from "node:crypto";
import { FencedError } from "@millrace/dataflow";
import type { TaskId } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { acquireTask } from "../acquire-task.ts";
import type { Link } from "../connection/task-connection.ts";
import { FORGET } from "../scripts/forget.ts";
import type { TaskKeys } from "../task-keys.ts";
import { sweepGroups } from "./sweep-groups.ts";
import { withTask } from "./with-task.ts";
import type { TaskAccessOptions } from "./with-task.ts";

/** How to reset a task. */
export interface ResetTaskOptions extends TaskAccessOptions {
  /** Removes the rows of its result sinks too. `@default false` */
  readonly results?: boolean;
}

/** What a reset did. */
export interface ResetReport {
  /** Every owner up to this fence is refused from now on. */
  readonly fence: number;
  /** Streams and hashes of results that were removed. */
  readonly resultKeys: number;
}

/**
 * Makes a task one that never committed. Its fence stays and grows, so that an owner that still runs is stopped
 * and cannot bring the old state back.
 *
 * @throws FencedError when a worker takes the task at the same time
 * @throws RedisError, StoreUnavailableError
 */
export function resetTask(
  redis: RedisConnectionOptions,
  task: TaskId,
  options: ResetTaskOptions = {},
): Promise<ResetReport> {
  return withTask(redis, task, options, async (connection, keys) => {
    const fence = await acquireTask(connection, keys, randomUUID());
    return connection.run("reset a task", async (link) => {
      // First the number: a task without one has no groups by definition, should this end halfway.
      const forgotten = await link.script(FORGET, [keys.meta, keys.staged, keys.journal], [fence]);
      if (forgotten !== 1) {
        throw new FencedError(`${keys.base}: a worker has just taken the task. Stop it, then reset again.`);
      }
      await sweepGroups(link, keys, fence);
      return { fence, resultKeys: options.results === true ? await removeResults(link, keys) : 0 };
    });
  });
}

async function removeResults({ client, answer }: Link, keys: TaskKeys): Promise<number> {
  let removed = 0;
  for (const pattern of keys.resultPatterns) {
    let cursor = "0";
    do {
      const [next, found] = await answer(client.scan(cursor, "MATCH", pattern, "COUNT", 1_000));
      if (found.length > 0) removed += await answer(client.unlink(...found));
      cursor = next;
    } while (cursor !== "0");
  }
  return removed;
}
