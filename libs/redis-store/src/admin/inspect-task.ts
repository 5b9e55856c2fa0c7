import { BEGINNING } from "@millrace/dataflow";
import type { TaskId } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { groupSizes } from "../load-task.ts";
import { readMeta } from "../task-meta.ts";
import type { TaskMeta } from "../task-meta.ts";
import { withTask } from "./with-task.ts";
import type { TaskAccessOptions } from "./with-task.ts";

/** What Redis holds of one step. */
export interface StepInspection {
  readonly step: string;
  /**
   * Groups of state. A step with tumbling or sliding windows has one for each window that is open or kept, and one for
   * itself, and one more if it `begins`.
   */
  readonly groups: number;
  /** Fields of these groups: keys in windows, or sessions. */
  readonly fields: number;
  /** Windows that began empty in a task with commits: those that opened before have no rows. */
  readonly begins?: true;
}

/** What Redis holds of a task. */
export interface TaskInspection extends TaskMeta {
  /** The start of the task's keys. */
  readonly key: string;
  readonly steps: readonly StepInspection[];
}

/**
 * Reads a task without changing it; it may be running at the same time.
 *
 * @returns `undefined` for a task that was never acquired
 * @throws RedisError, StoreUnavailableError; the reason of the signal
 */
export function inspectTask(
  redis: RedisConnectionOptions,
  task: TaskId,
  options: TaskAccessOptions = {},
): Promise<TaskInspection | undefined> {
  return withTask(redis, task, options, (connection, keys) =>
    connection.run("show a task", async (attempt) => {
      const meta = await readMeta(attempt, keys);
      if (meta.fence === 0 && meta.missing === undefined) return undefined;
      return { ...meta, key: keys.base, steps: stepsOf(await groupSizes(attempt, keys)) };
    }),
  );
}

function stepsOf(sizes: ReadonlyMap<string, number>): readonly StepInspection[] {
  const steps = new Map<string, StepInspection>();
  for (const [name, size] of sizes) {
    const step = name.slice(0, Math.max(name.indexOf("/"), 0));
    const { groups, fields, ...more } = steps.get(step) ?? { groups: 0, fields: 0 };
    const begins = name === `${step}/${BEGINNING}` ? { begins: true as const } : more;
    steps.set(step, { step, groups: groups + 1, fields: fields + size, ...begins });
  }
  return [...steps.values()];
}
