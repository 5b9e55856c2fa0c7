import { CommandLine } from "@millrace/cli";
import type { ProgramContext } from "@millrace/cli";
import { resetTask } from "@millrace/redis-store";
import type { FlowProgram } from "../flow-program.ts";
import { adminOptions, begin, printLine } from "../options/admin-options.ts";
import type { AdminConfig } from "../options/admin-options.ts";
import { outlineOf } from "../flows/load-flow.ts";

/** Options of the command `reset`. */
export interface ResetConfig extends AdminConfig {
  /** Rows go too. */
  readonly results: boolean;
}

/**
 * @param args after the command's name
 * @throws UsageError, HelpShown
 */
export function resetConfig(
  program: FlowProgram,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ResetConfig {
  const cli = new CommandLine(
    program.usageOf("reset"),
    "Makes a flow's tasks forget what they committed: the next run begins from the start. A worker that still runs is stopped. The other options of a run are accepted and ignored.",
  );
  const results = cli.toggle({
    flag: "--results",
    env: "MILLRACE_RESET_RESULTS",
    description: "remove the rows from Redis too",
  });
  const config = adminOptions(program, cli, env);
  cli.parse(args, env);
  return { ...config(), results: results() };
}

/** Resets the tasks one after the other, and prints a line for each. */
export async function reset({ config, logger, signal }: ProgramContext<ResetConfig>): Promise<void> {
  const parts = await begin(config, "resetting", logger);
  const { id: flow } = await outlineOf(config.flow);
  const { results, storeTimeoutMs } = config;
  for (const part of parts) {
    const { fence, resultKeys } = await resetTask(
      config.redis,
      { flow, part },
      { logger, results, storeTimeoutMs, signal },
    );
    printLine({ flow, part, fence, resultKeys });
  }
}
