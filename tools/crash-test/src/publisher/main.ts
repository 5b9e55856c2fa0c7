import { runProgram } from "@millrace/cli";
import { Dataflow, IterableSource, SYSTEM_TIME, run } from "@millrace/dataflow";
import { RedisPubSubSink, RedisStreamSink } from "@millrace/redis-source";
import { CHANNEL } from "../names.ts";
import { publisherSettings } from "./config.ts";
import { Gate } from "./gate.ts";
import { portionsOf } from "./portions.ts";

/** Publishes a file, a portion for each SIGUSR2. */
await runProgram("crash-publisher", publisherSettings, async ({ config, logger, signal }) => {
  const gate = new Gate();
  process.on("SIGUSR2", () => {
    gate.open();
  });
  const { url, frames, portion: lines, rate: linesPerSecond } = config;
  const sink =
    config.transport === "stream"
      ? new RedisStreamSink({ url }, { stream: CHANNEL, frames })
      : new RedisPubSubSink({ url }, { channel: CHANNEL, frames });
  const portions = portionsOf(config.file, {
    lines,
    linesPerSecond,
    time: SYSTEM_TIME,
    next: () => gate.passed(),
    onPortion: (total) => {
      logger.info({ event: "portion", total }, `${total} events handed to the sink`);
    },
  });
  const flow = new Dataflow("crash_publish");
  flow
    .input("portions", new IterableSource(portions))
    .flatMap((some) => some)
    .output("redis", sink);
  logger.info({ event: "ready" }, "ready");
  await run(flow, { logger, signal });
  const { published, resent } = sink.stats();
  logger.info({ event: "published", published, resent }, `${published} events published, ${resent} resent`);
});
