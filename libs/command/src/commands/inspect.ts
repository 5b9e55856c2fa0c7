import { CommandLine, UsageError } from "@millrace/cli";
import type { ProgramContext } from "@millrace/cli";
import { SYSTEM_TIME } from "@millrace/dataflow";
import type { KafkaMemberInspection } from "@millrace/kafka-source";
import { streamLag } from "@millrace/redis-source";
import { inspectTask, inspectWorkers } from "@millrace/redis-store";
import type { TaskInspection } from "@millrace/redis-store";
import type { FlowProgram } from "../flow-program.ts";
import { adminOptions, begin, printLine } from "../options/admin-options.ts";
import type { AdminConfig } from "../options/admin-options.ts";
import { outlineOf } from "../flows/load-flow.ts";
import { loadKafka } from "../kafka.ts";
import { clockFor } from "../options/clock-spec.ts";
import { flowOptions } from "../options/flow-options.ts";
import type { FlowShape } from "../options/flow-options.ts";
import { readsLog } from "../options/run-options.ts";
import { dropStateOption, maxKeysOption } from "../options/task-options.ts";
import { sourceOf } from "../running/source-and-sinks.ts";
import { printDifference } from "./inspect-difference.ts";
import type { DifferenceOptions } from "./inspect-difference.ts";

/** Options of the command `inspect`. */
export interface InspectConfig extends AdminConfig {
  /** Compares what is kept with the flow of these options; `undefined`: shows what is kept. */
  readonly diff: (DifferenceOptions & { readonly shape: FlowShape }) | undefined;
}

/**
 * @param args after the command's name
 * @throws UsageError, HelpShown
 */
export function inspectConfig(
  program: FlowProgram,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): InspectConfig {
  const cli = new CommandLine(
    program.usageOf("inspect"),
    "Prints what Redis keeps of a flow's tasks, one JSON object a line, and changes nothing; a run may continue at the same time. The other options of a run are accepted and ignored.",
  );
  const diff = cli.toggle({
    flag: "--diff",
    env: "MILLRACE_INSPECT_DIFF",
    description:
      "print instead what this version of the flow would do with it: which steps continue, begin empty, migrate, are dropped or refused. Exit code 1: it would not start",
  });
  const flow = flowOptions(cli, (own) => program.choose(own, env));
  const dropState = dropStateOption(cli);
  const maxKeys = maxKeysOption(cli);
  const config = adminOptions(program, cli, env, () => flow().choice);
  cli.parse(args, env);
  if (!diff()) {
    for (const value of [dropState, maxKeys]) cli.withoutEffect(value, "it needs --diff");
    return { ...config(), diff: undefined };
  }
  const shape = flow();
  // Where rows go does not matter for what is kept.
  const clock = shape.clock ?? clockFor(readsLog(undefined, config().input), shape, false);
  return {
    ...config(),
    diff: { shape: { ...shape, clock }, dropState: dropState().flat(), maxKeys: maxKeys() },
  };
}

/**
 * Prints a line for each task, then one for each worker that shares them with others (by Redis or by Kafka's own group), then one
 * for all tasks.
 *
 * @throws UsageError if none of the tasks has ever run: the options probably name another flow or channel
 * @throws with `--diff` the error of a flow that would not start
 */
export async function inspect({ config, logger, signal }: ProgramContext<InspectConfig>): Promise<void> {
  const parts = await begin(config, "inspecting", logger);
  const { storeTimeoutMs, diff } = config;
  if (diff !== undefined) {
    const reading = { ...config, file: undefined, entries: undefined, start: "earliest", trim: false };
    const compared = await outlineOf(config.flow, diff.shape, await sourceOf(reading));
    await printDifference({ ...config, diff }, compared, parts, { logger, signal });
    return;
  }
  const { id: flow, graph } = await outlineOf(config.flow);
  const windows = graph.nodes.filter((node) => node.windows !== undefined);
  const windowSteps = new Set(windows.map(({ id }) => id));
  // Windows that keep time by key have no watermark of their task, whatever it has had.
  const saysUnheard = windows.length > 0 && windows.every((node) => node.windows?.bounded === true);
  const access = { logger, storeTimeoutMs, signal };
  const workers = await inspectWorkers(config.redis, config.group ?? flow, access);
  const tasks: InspectedTask[] = [];
  for (const part of parts) {
    tasks.push({ part, task: await inspectTask(config.redis, { flow, part }, access) });
  }
  const neverRun = tasks.filter(({ task }) => task === undefined).map(({ part }) => part);
  if (neverRun.length > 0) {
    const missing = `no task of ${flow} has ever run on ${neverRun.join(", ")} with this Redis and kept state there`;
    if (neverRun.length === tasks.length) {
      throw new UsageError(`${missing}. Check the flow, --channel, --partitions and --redis-url.`);
    }
    logger.warn({ event: "never-run", parts: neverRun }, missing);
  }
  const { lags, members } = await lookAtInput(config, flow, tasks, access);
  const owners = new Map([
    ...members.flatMap((each) => each.parts.map((part): [string, string] => [part, each.member])),
    ...workers.flatMap((each) => each.parts.map((part): [string, string] => [part, each.worker])),
  ]);
  const sharing = workers.length + members.length;
  const watermarks: (number | undefined)[] = [];
  const neverHeard: string[] = [];
  for (const { part, task } of tasks) {
    if (saysUnheard && isUnheard(task)) neverHeard.push(part);
    else watermarks.push(task?.watermark);
    printLine({
      flow,
      part,
      ...(sharing === 0 ? {} : { owner: owners.get(part) ?? null }),
      ...(lags === undefined ? {} : { lag: lags.get(part) ?? null }),
      ...(task === undefined ? { fence: 0 } : summaryOf(task, windowSteps)),
    });
  }
  for (const worker of [...workers, ...members]) printLine({ flow, ...worker });
  // All rows of windows that close by then can be read, in every one of them that has had an event.
  printLine({
    flow,
    tasks: parts.length,
    ...(sharing === 0 ? {} : { workers: sharing }),
    watermark: lowest(watermarks) ?? null,
    ...(neverHeard.length === 0 ? {} : { neverHeard }),
  });
}

/** A partition, and what Redis keeps of its task; `undefined`: it has never run. */
interface InspectedTask {
  readonly part: string;
  readonly task: TaskInspection | undefined;
}

/** What the input shows of those that read it. */
interface InputView {
  /** What is not committed yet, by partition; `undefined`: this input keeps nothing. */
  readonly lags: ReadonlyMap<string, number | undefined> | undefined;
  /** Workers that share the partitions by Kafka's own group. */
  readonly members: readonly KafkaMemberInspection[];
}

async function lookAtInput(
  { input, kafka, redis, group }: AdminConfig,
  flow: string,
  tasks: readonly InspectedTask[],
  access: Pick<ProgramContext<AdminConfig>, "logger" | "signal">,
): Promise<InputView> {
  const ofProgress = group ?? flow;
  if (kafka !== undefined) {
    const positions = new Map(
      tasks.flatMap(({ part, task }) =>
        (task?.commitNumber ?? 0) > 0 ? [[part, task?.position ?? null] as const] : [],
      ),
    );
    const { inspectTopic } = await loadKafka();
    // The second one is the default of a KafkaAssignment.
    const groups = [ofProgress, `${flow}-workers`];
    return inspectTopic(kafka, { topic: input.channels[0] ?? "", positions, groups }, access);
  }
  if (input.transport !== "stream") return { lags: undefined, members: [] };
  const lags = new Map<string, number | undefined>();
  for (const { part } of tasks) {
    lags.set(part, await streamLag(redis, part, ofProgress, { ...access, time: SYSTEM_TIME }));
  }
  return { lags, members: [] };
}

/**
 * A task that has committed, and whose clock no event has set going yet: it may never have one, so the others do not wait
 * for it. Nothing is late for it either, so that an event of a window that the others have closed would still be counted.
 */
function isUnheard(task: TaskInspection | undefined): boolean {
  return task?.missing === undefined && (task?.commitNumber ?? 0) > 0 && task?.watermark === undefined;
}

function summaryOf(task: TaskInspection, windowSteps: ReadonlySet<string>): object {
  const { key, fence, commitNumber, committedAt, partial, watermark, missing, position, start, steps } = task;
  return {
    fence,
    commitNumber,
    committedAt: committedAt ?? null,
    closing: partial,
    watermark: watermark ?? null,
    // Of its groups each window step keeps one for itself, and one that began empty another.
    openWindows: steps
      .filter(({ step }) => windowSteps.has(step))
      .reduce((sum, { groups, begins = false }) => sum + groups - (begins ? 2 : 1), 0),
    ...(missing === undefined ? {} : { missing }),
    position,
    // Where the next run begins, after a reset.
    ...(start === undefined ? {} : { start }),
    steps,
    key,
  };
}

/** `undefined` where one is not known. */
function lowest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === times.length && known.length > 0 ? Math.min(...known) : undefined;
}
