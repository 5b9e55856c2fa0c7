import { inputOptions, kafkaOptions, logOptions, redisOptions } from "@millrace/cli";
import type { CommandLine, InputSettings, KafkaSettings, ProgramConfig, Value } from "@millrace/cli";
import type { Logger } from "@millrace/dataflow";
import { describeRedis } from "@millrace/redis-source/options";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import type { FlowProgram } from "../flow-program.ts";
import { loadKafka } from "../kafka.ts";
import { runOptions } from "./run-options.ts";
import { flowLabel } from "../flows/flow-choice.ts";
import type { FlowChoice } from "../flows/flow-choice.ts";
import { groupOption, storeTimeoutOption, taskOptions } from "./task-options.ts";

/** Whose state a command is about. */
export interface AdminConfig extends ProgramConfig {
  readonly flow: FlowChoice;
  readonly redis: RedisConnectionOptions;
  /** Names of the partitions; `undefined`: all that the topic has. */
  readonly tasks: readonly string[] | undefined;
  readonly input: InputSettings;
  readonly kafka: KafkaSettings | undefined;
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
 *
 * @param flow which flow; by default its options are declared here
 */
export function adminOptions(
  program: FlowProgram,
  cli: CommandLine,
  env: Readonly<Record<string, string | undefined>>,
  flow: Value<FlowChoice> = program.choose(cli, env),
): Value<AdminConfig> {
  const input = inputOptions(cli, program.transport);
  const tasks = taskOptions(cli, input);
  const group = groupOption(cli);
  const redis = redisOptions(cli);
  const connectTimeoutMs = (): number | undefined => redis().connectTimeoutMs;
  const kafka = kafkaOptions(cli, { transport: input, connectTimeoutMs });
  const storeTimeoutMs = storeTimeoutOption(cli);
  const log = logOptions(cli);
  cli.ignore((other) => runOptions(program, other, env));
  return () => ({
    flow: flow(),
    tasks: tasks() ?? (input().transport === "kafka" ? undefined : input().names),
    input: input(),
    kafka: kafka(),
    group: group(),
    redis: redis(),
    storeTimeoutMs: storeTimeoutMs(),
    startsRedis: false,
    log: log(),
  });
}

/**
 * Writes the first line of a command's log: what it works on, and where.
 *
 * @param what such as "inspecting"
 * @returns the names of the tasks; those of a topic are asked for
 */
export async function begin(
  { flow, redis: options, tasks: given, input, kafka }: AdminConfig,
  what: string,
  logger: Logger,
): Promise<readonly string[]> {
  const [label, redis] = [flowLabel(flow), describeRedis(options)];
  const tasks = given ?? (kafka === undefined ? [] : await partsOf(kafka, input));
  logger.info(
    { event: "starting", flow: label, redis, tasks },
    `${what} ${tasks.length} ${tasks.length === 1 ? "task" : "tasks"} of ${label} in ${redis}`,
  );
  return tasks;
}

async function partsOf(kafka: KafkaSettings, { channels }: InputSettings): Promise<readonly string[]> {
  const { KafkaSource } = await loadKafka();
  return new KafkaSource(kafka, { topic: channels[0] ?? "" }).listParts();
}

/** Prints a value as one JSON line on standard output. */
export function printLine(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
