import type { TaskId } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import type { Link } from "../connection/task-connection.ts";
import { groupNames } from "../load-task.ts";
import type { TaskKeys } from "../task-keys.ts";
import { readMeta } from "../task-meta.ts";
import type { TaskMeta } from "../task-meta.ts";
import { watermarkOf } from "./watermark-of.ts";
import { withTask } from "./with-task.ts";
import type { TaskAccessOptions } from "./with-task.ts";

/** What Redis keeps of one step. */
export interface StepInspection {
  readonly step: string;
  /** Groups of state: for tumbling and sliding windows, one for each window that is open or kept. */
  readonly groups: number;
  /** Fields of these groups: keys in windows, or sessions. */
  readonly fields: number;
  /** How far event time has come (ms), for a window step that tells. */
  readonly watermark: number | undefined;
}

/** What Redis keeps of a task. */
export interface TaskInspection extends TaskMeta {
  /** First part of the task's keys. */
  readonly key: string;
  readonly steps: readonly StepInspection[];
}

/** The group in which a window engine keeps its own state. */
const ENGINE = "engine";

/**
 * Looks at a task without touching it; a run may go on meanwhile.
 *
 * @returns `undefined` for a task that nobody ever acquired
 * @throws RedisError, StoreUnavailableError
 */
export function inspectTask(
  redis: RedisConnectionOptions,
  task: TaskId,
  options: TaskAccessOptions = {},
): Promise<TaskInspection | undefined> {
  return withTask(redis, task, options, (connection, keys) =>
    connection.run("show a task", async (link) => {
      const meta = await readMeta(link, keys);
      if (meta.fence === 0) return undefined;
      return { ...meta, key: keys.base, steps: await inspectSteps(link, keys) };
    }),
  );
}

async function inspectSteps(link: Link, keys: TaskKeys): Promise<readonly StepInspection[]> {
  const { client, answer } = link;
  const steps = new Map<string, StepInspection>();
  for (const name of await groupNames(link, keys)) {
    const slash = name.indexOf("/");
    const step = name.slice(0, Math.max(slash, 0));
    const known = steps.get(step) ?? { step, groups: 0, fields: 0, watermark: undefined };
    if (name.slice(slash + 1) === ENGINE) {
      const state = await answer(client.hget(keys.group(name), "state"));
      steps.set(step, { ...known, watermark: watermarkOf(state) });
      continue;
    }
    const fields = await answer(client.hlen(keys.group(name)));
    if (fields > 0) steps.set(step, { ...known, groups: known.groups + 1, fields: known.fields + fields });
  }
  return [...steps.values()];
}
