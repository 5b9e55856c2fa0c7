import type { ProgramContext } from "@millrace/cli";
import { SYSTEM_TIME, start } from "@millrace/dataflow";
import { StartClock, describeRedis } from "@millrace/redis-source/options";
import { describeKafka } from "../kafka.ts";
import { observed } from "../running/observe.ts";
import type { PublishConfig } from "./config.ts";
import { STDIN } from "./events-file.ts";
import { sizeIn } from "./extent.ts";
import { barProgress, logProgress } from "./progress.ts";
import { publishFlow } from "./publish-flow.ts";
import { report } from "./report.ts";
import { outputOf } from "./sink-of.ts";
import { inputOf } from "./source-of.ts";
import { waitForSubscribers } from "./wait-for-subscribers.ts";

const BAR_EVERY_MS = 200;
const LOG_EVERY_MS = 5_000;

/** Publishes until the input ends or it is stopped. */
export async function publish({
  config: given,
  logger,
  signal,
}: ProgramContext<PublishConfig>): Promise<void> {
  // All first connections share one `--connect-timeout`.
  const redis = given.redis && { ...given.redis, startClock: new StartClock() };
  const config = { ...given, redis };
  const where = given.kafka === undefined ? describeRedis(redis ?? {}) : describeKafka(given.kafka);
  const server = given.kafka === undefined ? { redis: where } : { kafka: where };
  const { transport, channel } = config.transport;
  // Those of a topic are not known here.
  const partitions = given.kafka === undefined ? config.transport.partitions : undefined;
  const { framing } = config.delivery;
  const packing = framing === undefined ? "as bare lines" : `in frames of up to ${framing.batch} events`;
  logger.info(
    { event: "starting", file: config.file, ...server, transport, channel, partitions, framing },
    `publishing ${inputLabel(config)} on ${transport} ${channel} of ${where}, ${packing}`,
  );
  await observed(config.observe, { logger }, async (observers) => {
    await waitForSubscribers(config, logger, signal);
    const { source, extent } = await inputOf(config);
    const { sink, stats } = await outputOf(config);
    const terminal = process.stderr.isTTY && config.log.format !== "json";
    const progressEveryMs = config.progressEveryMs ?? (terminal ? BAR_EVERY_MS : LOG_EVERY_MS);
    const progress = terminal
      ? await barProgress(process.stderr, extent, SYSTEM_TIME)
      : logProgress(logger, extent, SYSTEM_TIME);
    const sizeOf = sizeIn(extent?.unit ?? "lines");
    const flow = publishFlow({ source, sink, progressEveryMs, sizeOf, onProgress: progress.add });
    const began = SYSTEM_TIME.monotonic();
    const running = start(flow, { drainTimeoutMs: config.drainTimeoutMs, observers, logger, signal });
    try {
      await running.done;
    } finally {
      progress.end();
      const elapsedMs = SYSTEM_TIME.monotonic() - began;
      const numbered = framing !== undefined || given.kafka !== undefined;
      const to = given.kafka === undefined ? "Redis" : "Kafka";
      report(logger, running.stats(), stats(), { elapsedMs, numbered, to });
    }
  });
}

function inputLabel({ file, generate }: PublishConfig): string {
  if (generate !== undefined) return `events generated from ${file}`;
  return file === STDIN ? "standard input" : file;
}
