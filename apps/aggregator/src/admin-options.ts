import { logOptions, redisOptions, transportOptions } from "@millrace/cli";
import type { CommandLine, ProgramConfig, Value } from "@millrace/cli";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { flowOptions } from "./flow-options.ts";
import type { FlowSettings } from "./flow-options.ts";
import { taskOptions } from "./task-options.ts";

/** Whose state a command is about. */
export interface AdminConfig extends ProgramConfig {
  readonly flow: FlowSettings;
  readonly redis: RedisConnectionOptions;
  /** Names of the partitions. */
  readonly tasks: readonly string[];
}

/** Declares the options that name tasks and where their state is: those of the run that keeps it. */
export function adminOptions(
  cli: CommandLine,
  env: Readonly<Record<string, string | undefined>>,
): Value<AdminConfig> {
  const flow = flowOptions(cli, env);
  const tasks = taskOptions(cli, transportOptions(cli));
  const redis = redisOptions(cli);
  const log = logOptions(cli);
  return () => ({ flow: flow(), tasks: tasks(), redis: redis(), log: log() });
}
