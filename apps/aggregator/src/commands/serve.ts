import type { ProgramContext } from "@millrace/cli";
import { describe, start } from "@millrace/dataflow";
import { StartClock, describeRedis } from "@millrace/redis-source";
import { RedisStore } from "@millrace/redis-store";
import type { AggregatorConfig } from "../config.ts";
import { clockFor } from "../clock-for.ts";
import { flowLabel } from "../flow-choice.ts";
import { loadFlow } from "../load-flow.ts";
import { report } from "../report.ts";
import { sinksOf } from "../sinks-of.ts";
import { sourceOf } from "../source-of.ts";
import { warnOfUnused, watchedParts } from "../unused-options.ts";

/** Runs a flow over Redis until its input ends or it is stopped. */
export async function serve({
  config: given,
  logger,
  signal,
}: ProgramContext<AggregatorConfig>): Promise<void> {
  // All that it connects for, source, store and sinks, has to be there within one `--connect-timeout`.
  const config = { ...given, redis: { ...given.redis, startClock: new StartClock() } };
  const { choice, windower, windowing } = config.flow;
  const { transport, channels, pattern, names } = config.input;
  const { tasks } = config;
  const redis = describeRedis(config.redis);
  const label = flowLabel(choice);
  const channel = pattern ?? channels.join(", ");
  const leftOut = tasks === undefined ? [] : names.filter((name) => !tasks.includes(name));
  logger.info(
    { event: "starting", flow: label, redis, transport, channel, tasks },
    `running ${label} on ${transport} ${channel} of ${redis}`,
  );
  if (leftOut.length > 0) {
    logger.info(
      { event: "partitions-left-out", leftOut, partitions: names.length },
      `${leftOut.length} of ${names.length} partitions are left to other workers (--tasks): ${leftOut.join(", ")}`,
    );
  }
  const { storeTimeoutMs, maxKeys } = config;
  const store =
    config.store === "none" ? undefined : new RedisStore(config.redis, { logger, storeTimeoutMs });
  const source = sourceOf(config);
  const { parts, used } = watchedParts({
    source,
    sourceWithOrigin: source.withOrigin(),
    windower,
    clock: config.flow.clock ?? clockFor(transport, config.flow, config.sink === "redis"),
    windowing,
    ...sinksOf(config, store),
  });
  const flow = await loadFlow(choice, parts);
  warnOfUnused(config, used, logger);
  for (const { id, kind, detail } of describe(flow).steps) {
    if (kind === "windows") logger.info({ event: "windows", step: id }, `${id}: ${detail ?? ""}`);
  }
  try {
    const running = start(flow, {
      ...(store === undefined ? {} : { store }),
      ...(tasks === undefined ? {} : { parts: tasks }),
      ...(maxKeys === undefined ? {} : { maxKeys }),
      exitWhenIdleMs: config.exitWhenIdleMs,
      idleFrom: config.idleFrom,
      closeWindows: config.closeWindows,
      drainTimeoutMs: config.drainTimeoutMs,
      logger,
      signal,
    });
    let failed = true;
    try {
      await running.done;
      failed = false;
    } finally {
      report(logger, running.stats(), failed);
    }
  } finally {
    await store?.close();
  }
}
