import { runProgram } from "@millrace/cli";
import { StdoutSink, run } from "@millrace/dataflow";
import { RedisPubSubSource, describeRedis } from "@millrace/redis-source";
import { aggregatorConfig } from "./config.ts";
import { FLOWS } from "./flows/flows.ts";
import { report } from "./report.ts";

const DRAIN_TIMEOUT_MS = 5_000;

await runProgram("aggregator", aggregatorConfig, async ({ config, logger, signal }) => {
  const { connection, channel } = config.redis;
  const redis = describeRedis(connection);
  logger.info(
    { event: "starting", flow: config.flow, redis, channel },
    `running ${config.flow} on channel ${channel} of ${redis}`,
  );
  const flow = FLOWS[config.flow]({
    source: new RedisPubSubSource(connection, { channel }),
    out: new StdoutSink(),
    windower: config.windower,
    meta: config.meta,
  });
  const { exitWhenIdleMs } = config;
  const running = run(flow, { exitWhenIdleMs, drainTimeoutMs: DRAIN_TIMEOUT_MS, logger, signal });
  report(logger, await running.done);
});
