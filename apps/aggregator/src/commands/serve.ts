import type { ProgramContext } from "@millrace/cli";
import { describe, start } from "@millrace/dataflow";
import { StartClock, describeRedis } from "@millrace/redis-source";
import { RedisStore } from "@millrace/redis-store";
import { messageTime, systemTime } from "@millrace/windowing";
import type { Clock } from "@millrace/windowing";
import type { AggregatorConfig } from "../config.ts";
import { flowLabel } from "../flow-choice.ts";
import { loadFlow } from "../load-flow.ts";
import { report } from "../report.ts";
import { sinksOf } from "../sinks-of.ts";
import { sourceOf } from "../source-of.ts";
import { warnOfUnused, watchedParts } from "../unused-options.ts";

/** How long windows wait for events that were published on time and came out of order. */
const PUBLISH_WAIT_MS = 1_000;
/**
 * How long windows on the system clock wait for the next heartbeats, where rows show whether they are complete: each
 * publisher sends one a second.
 */
const SETTLE_MS = 1_500;

/** Runs a flow over Redis until its input ends or it is stopped. */
export async function serve({
  config: given,
  logger,
  signal,
}: ProgramContext<AggregatorConfig>): Promise<void> {
  // All that it connects for, source, store and sinks, has to be there within one `--connect-timeout`.
  const config = { ...given, redis: { ...given.redis, startClock: new StartClock() } };
  const { choice, windower, windowing } = config.flow;
  const { transport, channel, names } = config.transport;
  const { tasks } = config;
  const redis = describeRedis(config.redis);
  const label = flowLabel(choice);
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
  const { parts, used } = watchedParts({
    source: sourceOf(config),
    windower,
    clock: config.flow.clock ?? clockFor(config),
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

/** Entries of a stream may be read long after they came, so there it is the time of publishing that counts. */
function clockFor({ transport, flow, sink }: AggregatorConfig): Clock<unknown> {
  if (transport.transport === "stream") return messageTime({ wait: PUBLISH_WAIT_MS });
  const isAudience = flow.choice.kind === "built-in" && flow.choice.name === "audience";
  const showsCompleteness = flow.meta || sink === "redis" || isAudience;
  return systemTime({ settle: showsCompleteness ? SETTLE_MS : 0 });
}
