import type { InputSettings, ProgramContext } from "@millrace/cli";
import { describe, start } from "@millrace/dataflow";
import type { Logger } from "@millrace/dataflow";
import { StartClock, describeRedis } from "@millrace/redis-source/options";
import { describeKafka } from "../kafka.ts";
import { readsLog } from "../options/run-options.ts";
import type { RunConfig } from "../options/run-options.ts";
import { clockFor } from "../options/clock-spec.ts";
import { flowLabel } from "../flows/flow-choice.ts";
import { loadFlow } from "../flows/load-flow.ts";
import { STDIN } from "../publish/events-file.ts";
import { observed } from "../running/observe.ts";
import { othersOf } from "../running/other-workers.ts";
import { report } from "../running/report.ts";
import { sinksOf, sourceOf } from "../running/source-and-sinks.ts";
import { RunOfProcesses } from "../running/run-of-processes.ts";
import { isWorkerProcess, sendToParent } from "../running/worker-messages.ts";
import { WorkerProcesses } from "../running/worker-processes.ts";
import type { Outcome } from "../running/worker-processes.ts";
import { checkUnused, watchedParts } from "../running/unused-options.ts";

/** Runs a flow until its input ends or it is stopped, in this process or in several. */
export async function run(context: ProgramContext<RunConfig>): Promise<void> {
  const { share } = context.config;
  if (share === undefined || share.processes === 1) await runHere(context);
  else await runInProcesses(context, share.processes);
}

async function runInProcesses(
  { config, logger, signal }: ProgramContext<RunConfig>,
  processes: number,
): Promise<void> {
  const partitions = config.input.names.length;
  // How many a topic has is not known here.
  if (config.kafka === undefined && partitions < processes) {
    logger.warn(
      { event: "processes-idle", processes, partitions },
      `${processes} processes share ${partitions} partitions: the others wait to take over`,
    );
  }
  // Each process makes its own spans.
  const observe = { ...config.observe, trace: false };
  const pids = new Set<number>();
  const context = { logger, others: othersOf(config, pids) };
  await observed(observe, context, async (observers) => {
    const shown = new RunOfProcesses(observers, logger);
    const workers = new WorkerProcesses(logger, shown, pids);
    reportAll(logger, await workers.run(processes, signal));
  });
}

/** @throws WorkerProcessError */
function reportAll(logger: Logger, { stats, crashes, failure }: Outcome): void {
  if (stats !== undefined) report(logger, stats, failure !== undefined);
  if (crashes > 0) {
    logger.warn(
      { event: "figures-missing", crashes },
      `${crashes === 1 ? "a process" : `${crashes} processes`} ended without a report: what was done is in the results, but not in these figures`,
    );
  }
  if (failure !== undefined) throw failure;
}

async function runHere({ config: given, logger, signal }: ProgramContext<RunConfig>): Promise<void> {
  // All that it connects for, source, store and sinks, has to be there within one `--connect-timeout`.
  const config = { ...given, redis: { ...given.redis, startClock: new StartClock() } };
  const { choice, windower, windowing } = config.flow;
  const { names } = config.input;
  const { tasks } = config;
  const where = config.kafka === undefined ? describeRedis(config.redis) : describeKafka(config.kafka);
  const label = flowLabel(choice);
  const leftOut = tasks === undefined ? [] : names.filter((name) => !tasks.includes(name));
  logger.info(
    { event: "starting", flow: label, ...inputOf(config, where), tasks },
    `running ${label} on ${inputLabel(config, where)}`,
  );
  if (leftOut.length > 0) {
    logger.info(
      { event: "partitions-left-out", leftOut, partitions: names.length },
      `${leftOut.length} of ${names.length} partitions are left to other workers (--tasks): ${leftOut.join(", ")}`,
    );
  }
  const { storeTimeoutMs, dropState, maxKeys, share, group } = config;
  const ofGroup = group === undefined ? {} : { group };
  // Sharing needs a store.
  const inRedis = config.store === "none" ? undefined : await import("@millrace/redis-store");
  const assignment =
    share && inRedis && new inRedis.RedisAssignment(config.redis, { leaseMs: share.leaseMs, ...ofGroup });
  const store = inRedis && new inRedis.RedisStore(config.redis, { logger, storeTimeoutMs });
  const source = await sourceOf(config);
  const { parts, used } = watchedParts({
    source,
    sourceWithOrigin: source.withOrigin(),
    windower,
    clock:
      config.flow.clock ??
      clockFor(readsLog(config.file, config.input), config.flow, config.sink === "redis"),
    windowing,
    ...(await sinksOf(config, store)),
    options: choice.kind === "module" ? (choice.options ?? {}) : {},
  });
  const flow = await loadFlow(choice, parts);
  checkUnused(config, used, logger);
  for (const { id, kind, detail } of describe(flow).steps) {
    if (kind === "windows") logger.info({ event: "windows", step: id }, `${id}: ${detail ?? ""}`);
  }
  try {
    const others = share && othersOf(config, new Set([process.pid]));
    await observed(config.observe, { logger, ...(others && { others }) }, async (observers) => {
      const running = start(flow, {
        ...(store === undefined ? {} : { store }),
        ...(tasks === undefined ? {} : { parts: tasks }),
        ...(assignment === undefined ? {} : { assignment }),
        ...(maxKeys === undefined ? {} : { maxKeys }),
        dropState,
        exitWhenIdleMs: config.exitWhenIdleMs,
        idleFrom: config.idleFrom,
        closeWindows: config.closeWindows,
        drainTimeoutMs: config.drainTimeoutMs,
        observers,
        logger,
        signal,
      });
      let failed = true;
      try {
        await running.done;
        failed = false;
      } finally {
        if (isWorkerProcess()) await sendToParent({ kind: "report", stats: running.stats() });
        else report(logger, running.stats(), failed);
      }
    });
  } finally {
    await store?.close();
  }
}

function inputOf({ file, input, kafka }: RunConfig, where: string): object {
  const server = kafka === undefined ? { redis: where } : { kafka: where };
  return file === undefined ? { ...server, transport: input.transport, channel: channelOf(input) } : { file };
}

function inputLabel({ file, input }: RunConfig, where: string): string {
  if (file === undefined) return `${input.transport} ${channelOf(input)} of ${where}`;
  return file === STDIN ? "standard input" : file;
}

function channelOf({ channels, pattern }: InputSettings): string {
  return pattern ?? channels.join(", ");
}
