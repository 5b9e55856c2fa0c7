import { CommandLine } from "@millrace/cli";
import type { ProgramContext } from "@millrace/cli";
import { inspectTask } from "@millrace/redis-store";
import type { TaskInspection } from "@millrace/redis-store";
import { adminOptions } from "../admin-options.ts";
import type { AdminConfig } from "../admin-options.ts";
import { outlineOf } from "../outline-of.ts";
import { printLine } from "../print-line.ts";

/**
 * @param args behind the command's name
 * @throws UsageError, HelpShown
 */
export function inspectConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): AdminConfig {
  const cli = new CommandLine(
    "aggregator inspect",
    "Prints what Redis keeps of a flow's tasks, one JSON object a line, and changes nothing; a run may go on meanwhile.",
  );
  const config = adminOptions(cli, env);
  cli.parse(args, env);
  return config();
}

/** Prints a line for each task, then one for all of them. */
export async function inspect({ config, logger }: ProgramContext<AdminConfig>): Promise<void> {
  const { id: flow } = await outlineOf(config.flow);
  const watermarks: (number | undefined)[] = [];
  for (const part of config.tasks) {
    const task = await inspectTask(config.redis, { flow, part }, { logger });
    const watermark = task && lowest(windowSteps(task).map((step) => step.watermark));
    watermarks.push(watermark);
    printLine({ flow, part, ...(task === undefined ? { fence: 0 } : summaryOf(task, watermark)) });
  }
  // What closes up to here is final in every one of them.
  printLine({ flow, tasks: config.tasks.length, watermark: lowest(watermarks) ?? null });
}

function summaryOf(task: TaskInspection, watermark: number | undefined): object {
  const { key, fence, commitNumber, committedAt, partial, position, steps } = task;
  return {
    fence,
    commitNumber,
    committedAt: committedAt ?? null,
    closing: partial,
    watermark: watermark ?? null,
    openWindows: windowSteps(task).reduce((sum, { groups }) => sum + groups, 0),
    position,
    steps,
    key,
  };
}

function windowSteps({ steps }: TaskInspection): TaskInspection["steps"] {
  return steps.filter(({ watermark }) => watermark !== undefined);
}

/** Of what somebody does not tell the lowest is unknown. */
function lowest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === times.length && known.length > 0 ? Math.min(...known) : undefined;
}
