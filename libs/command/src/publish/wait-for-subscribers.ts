import { SYSTEM_TIME } from "@millrace/dataflow";
import type { Logger } from "@millrace/dataflow";
import { waitForSubscriber } from "@millrace/redis-source";
import type { PublishConfig } from "./config.ts";

/** Waits until every channel has a subscriber, or logs a warning after the timeout. Does nothing for a stream or a topic. */
export async function waitForSubscribers(
  { redis, transport: how, waitForSubscriberMs }: PublishConfig,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { transport, names } = how;
  if (redis === undefined || transport === "stream" || transport === "kafka" || waitForSubscriberMs === 0)
    return;
  const deadline = SYSTEM_TIME.monotonic() + waitForSubscriberMs;
  for (const channel of names) {
    const timeoutMs = Math.max(deadline - SYSTEM_TIME.monotonic(), 1);
    if (await waitForSubscriber(redis, channel, { timeoutMs, transport, signal, logger })) continue;
    logger.warn(
      { event: "no-subscriber", channel },
      `no subscriber of ${channel} came within ${waitForSubscriberMs / 1_000} s (one of a pattern is not seen); publishing anyway`,
    );
  }
}
