import { inputOptions, logOptions, redisOptions } from "@millrace/cli";
import type { CommandLine, ProgramConfig, Transport, Value } from "@millrace/cli";
import type { Logger } from "@millrace/dataflow";
import { describeRedis } from "@millrace/redis-source";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import type { FlowProgram } from "../flow-program.ts";
import { runOptions } from "./run-options.ts";
import { flowLabel } from "../flows/flow-choice.ts";
import type { FlowChoice } from "../flows/flow-choice.ts";
import { groupOption, storeTimeoutOption, taskOptions } from "./task-options.ts";

/** Whose state a command is about. */
export interface AdminConfig extends ProgramConfig {
  readonly flow: FlowChoice;
  readonly redis: RedisConnectionOptions;
  /** Names of the partitions. */
  readonly tasks: readonly string[];
  readonly transport: Transport;
  /** `undefined`: the flow's id. */
  readonly group: string | undefined;
  /** `Infinity`: as long as it takes. */
  readonly storeTimeoutMs: number;
  /** A new Redis has no tasks. */
  readonly startsRedis: false;
}

/**
 * Declares the options that name tasks and where their state is, by the names that they have for a run. The other options
 * of a run are accepted and ignored.
 */
export function adminOptions(
  program: FlowProgram,
  cli: CommandLine,
  env: Readonly<Record<string, string | undefined>>,
): Value<AdminConfig> {
  const flow = program.choose(cli, env);
  const input = inputOptions(cli, program.transport);
  const tasks = taskOptions(cli, input);
  const group = groupOption(cli);
  const redis = redisOptions(cli);
  const storeTimeoutMs = storeTimeoutOption(cli);
  const log = logOptions(cli);
  cli.ignore((other) => runOptions(program, other, env));
  return () => ({
    flow: flow(),
    tasks: tasks() ?? input().names,
    transport: input().transport,
    group: group(),
    redis: redis(),
    storeTimeoutMs: storeTimeoutMs(),
    startsRedis: false,
    log: log(),
  });
}

/** The first line of a command's log: what it works on, and where. @param what such as "inspecting" */
export function logStart({ flow, redis: options, tasks }: AdminConfig, what: string, logger: Logger): void {
  const [label, redis] = [flowLabel(flow), describeRedis(options)];
  logger.info(
    { event: "starting", flow: label, redis, tasks },
    `${what} ${tasks.length} ${tasks.length === 1 ? "task" : "tasks"} of ${label} in ${redis}`,
  );
}

/** Prints a value as one JSON line on standard output. */
export function printLine(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
