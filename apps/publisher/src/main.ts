import { runProgram } from "@millrace/cli";
import type { RawLine, Source } from "@millrace/dataflow";
import { JsonlFileSource, StdinSource, SYSTEM_TIME, run } from "@millrace/dataflow";
import { RedisPubSubSink, describeRedis, waitForSubscriber } from "@millrace/redis-source";
import { publisherConfig } from "./config.ts";
import type { PublisherConfig } from "./config.ts";
import { countLines } from "./count-lines.ts";
import { STDIN } from "./events-file.ts";
import { PacedSource } from "./paced-source.ts";
import { barProgress, logProgress } from "./progress.ts";
import { publishFlow } from "./publish-flow.ts";
import { RepeatingSource } from "./repeating-source.ts";
import { report } from "./report.ts";

const DRAIN_TIMEOUT_MS = 2_000;
const BAR_EVERY_MS = 200;
const LOG_EVERY_MS = 5_000;

await runProgram("publisher", publisherConfig, async ({ config, logger, signal }) => {
  const { file, loop } = config;
  const { connection, channel } = config.redis;
  const redis = describeRedis(connection);
  logger.info(
    { event: "starting", file, redis, channel },
    `publishing ${file === STDIN ? "standard input" : file} on channel ${channel} of ${redis}`,
  );
  if (config.waitForSubscriberMs > 0) {
    const timeoutMs = config.waitForSubscriberMs;
    const heard = await waitForSubscriber(connection, channel, { timeoutMs, signal, logger });
    if (!heard) {
      logger.warn(
        { event: "no-subscriber", channel },
        `nobody listens on ${channel}; publishing all the same`,
      );
    }
  }
  const terminal = process.stderr.isTTY && config.log.format !== "json";
  const total = file === STDIN || loop ? undefined : await countLines(file);
  const progressEveryMs = config.progressEveryMs ?? (terminal ? BAR_EVERY_MS : LOG_EVERY_MS);
  const progress = terminal
    ? barProgress(process.stderr, total, SYSTEM_TIME)
    : logProgress(logger, total, SYSTEM_TIME);
  const sink = new RedisPubSubSink(connection, { channel });
  const flow = publishFlow({ source: sourceOf(config), sink, progressEveryMs, onProgress: progress.add });
  const began = SYSTEM_TIME.now();
  const running = run(flow, { drainTimeoutMs: DRAIN_TIMEOUT_MS, logger, signal });
  try {
    await running.done;
  } finally {
    progress.end();
    report(logger, running.stats(), sink.stats(), SYSTEM_TIME.now() - began);
  }
});

function sourceOf({ file, loop, rate }: PublisherConfig): Source<RawLine> {
  const once = file === STDIN ? new StdinSource() : new JsonlFileSource(file);
  const repeated = loop ? new RepeatingSource(once) : once;
  return rate === undefined ? repeated : new PacedSource(repeated, rate);
}
