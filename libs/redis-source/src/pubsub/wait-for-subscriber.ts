import type { Redis } from "ioredis";
import { DEFAULT_LOGGER, SYSTEM_TIME, pause } from "@millrace/dataflow";
import type { Logger, TimeProvider } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import { RetryingClient } from "../connection/retrying-client.ts";
import type { PubSubTransport } from "./pubsub-source-options.ts";

/** Options of {@link waitForSubscriber}. */
export interface WaitForSubscriberOptions {
  /** How long to wait, ms. */
  readonly timeoutMs: number;
  /** With `sharded`, the node that serves the channel is asked: it knows all subscribers. `@default "pubsub"` */
  readonly transport?: PubSubTransport;
  /** Stops the wait; the call then rejects with the signal's reason. `@default never` */
  readonly signal?: AbortSignal | undefined;
  /** @default DEFAULT_LOGGER */
  readonly logger?: Logger;
  /** @default SYSTEM_TIME */
  readonly time?: TimeProvider;
}

// Redis does not announce the first subscriber of a channel, so it has to be polled. Ten times a second is faster than a
// person notices, and costs Redis next to nothing.
const POLL_MS = 100;

/**
 * Waits until the channel has a subscriber, so that a publisher does not publish into the void.
 *
 * On a Redis Cluster the node that is asked knows only its own subscribers.
 *
 * @returns whether there is a subscriber; `false` if the time was over first
 * @throws RedisError if there is no usable Redis within `connectTimeoutMs`; the signal's reason
 */
export async function waitForSubscriber(
  options: RedisConnectionOptions,
  channel: string,
  {
    timeoutMs,
    transport = "pubsub",
    signal,
    logger = DEFAULT_LOGGER,
    time = SYSTEM_TIME,
  }: WaitForSubscriberOptions,
): Promise<boolean> {
  const sharded = transport === "sharded";
  const connection = await connectRedis(options, {
    role: `wait ${channel}`,
    logger,
    time,
    signal,
    ...(sharded ? { key: channel } : {}),
  });
  const redis = new RetryingClient(connection, { logger, time });
  const over = new AbortController();
  const finish = (): void => {
    over.abort();
    // Also rejects a command that a hanging Redis does not answer.
    void connection.close();
  };
  const cancel = time.wakeAfter(timeoutMs, finish);
  signal?.addEventListener("abort", finish);
  try {
    while (!over.signal.aborted) {
      const subscribers = await redis.ask((client) => countSubscribers(client, channel, sharded));
      if (subscribers > 0) return true;
      await pause(time, POLL_MS, over.signal);
    }
  } catch (error) {
    if (!over.signal.aborted) throw error;
  } finally {
    cancel();
    signal?.removeEventListener("abort", finish);
    await redis.close();
  }
  signal?.throwIfAborted();
  return false;
}

async function countSubscribers(client: Redis, channel: string, sharded: boolean): Promise<number> {
  const [, count] = await (sharded
    ? client.pubsub("SHARDNUMSUB", channel)
    : client.pubsub("NUMSUB", channel));
  return Number(count);
}
