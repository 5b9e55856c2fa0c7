import type { Partitioning } from "@millrace/dataflow";
import { RedisOptionsError } from "../errors.ts";
import type { LedgerOptions } from "../wire/producer-ledger.ts";
import { partitionNames } from "../partitions/partition-names.ts";

/**
 * What happens when events come faster than they are taken and the queue is full.
 *
 * - `pause`: the socket is not read until there is room. Redis then buffers, up to its
 *   `client-output-buffer-limit pubsub` (32 MB, or 8 MB for 60 s, unless configured), and cuts the connection off.
 * - `drop-oldest`, `drop-newest`: an event is dropped and counted as lost.
 * - `fail`: what is queued is still delivered, then `nextBatch` throws a QueueOverflowError.
 */
export type OverflowPolicy = "pause" | "drop-oldest" | "drop-newest" | "fail";

/**
 * How messages travel.
 *
 * - `pubsub`: PUBLISH and SUBSCRIBE. On a Redis Cluster every message goes to every node.
 * - `sharded`: SPUBLISH and SSUBSCRIBE. A channel lives on the node that serves its slot, so that partitions spread
 *   over the cluster; on a single Redis it works as well. The two transports do not receive each other's messages.
 */
export type PubSubTransport = "pubsub" | "sharded";

/** Options of {@link RedisPubSubSource}. */
export interface RedisPubSubSourceOptions {
  /** The channel; or give `channels`. */
  readonly channel?: string;
  /** How many partitions the channel has; with more than one they are channels `{channel:0}`, `{channel:1}`, ... `@default 1` */
  readonly partitions?: number;
  /** Several channels with names of their own, each a partition; or give `channel`. */
  readonly channels?: readonly string[];
  /**
   * The field by whose value the publisher chose the channel. With it, a `keyBy` on that field needs no other partition.
   * @default none: with several channels, a flow can assume nothing
   */
  readonly partitionedBy?: string;
  /** @default "pubsub" */
  readonly transport?: PubSubTransport;
  /** Limits of what is remembered about producers. `@default DEFAULT_LEDGER_OPTIONS` */
  readonly ledger?: LedgerOptions;
  /** Events that may wait for `nextBatch`. `@default 65_536` */
  readonly maxQueuedEvents?: number;
  /** Bytes of events that may wait for `nextBatch`. `@default 67_108_864 (64 MiB)` */
  readonly maxQueuedBytes?: number;
  /** Most events in one batch. `@default 8_192` */
  readonly maxBatchEvents?: number;
  /** @default "pause" */
  readonly onOverflow?: OverflowPolicy;
}

/** Resolved options. */
export interface QueueSettings {
  readonly maxQueuedEvents: number;
  readonly maxQueuedBytes: number;
  readonly maxBatchEvents: number;
  readonly onOverflow: OverflowPolicy;
}

/** {@link QueueSettings}, and how messages travel. */
export interface PubSubSettings extends QueueSettings {
  readonly transport: PubSubTransport;
  readonly ledger: LedgerOptions;
}

/** Defaults of {@link RedisPubSubSourceOptions}. */
export const DEFAULT_PUBSUB_SOURCE_OPTIONS: QueueSettings = Object.freeze({
  maxQueuedEvents: 65_536,
  maxQueuedBytes: 64 * 1_024 * 1_024,
  maxBatchEvents: 8_192,
  onOverflow: "pause",
});

/** The channels that a source reads. @throws RedisOptionsError */
export function channelsOf({ channel, channels, partitions }: RedisPubSubSourceOptions): readonly string[] {
  if ((channel === undefined) === (channels === undefined)) {
    throw new RedisOptionsError(
      "A Pub/Sub source reads one channel or several: give either channel or channels.",
    );
  }
  if (channel !== undefined) return partitionNames(channel, partitions ?? 1);
  if (partitions !== undefined) {
    throw new RedisOptionsError(
      "partitions apply to one channel only: give partitions with channel, or list all channels with channels.",
    );
  }
  const names = [...(channels ?? [])];
  if (names.length === 0 || names.includes("") || new Set(names).size !== names.length) {
    throw new RedisOptionsError(
      `The channels are ${JSON.stringify(names)}. Give at least one name; names must differ, and not be empty.`,
    );
  }
  return names;
}

/** @throws RedisOptionsError */
export function settingsOf(options: RedisPubSubSourceOptions): PubSubSettings {
  const defaults = DEFAULT_PUBSUB_SOURCE_OPTIONS;
  return {
    maxQueuedEvents: atLeastOne("maxQueuedEvents", options.maxQueuedEvents ?? defaults.maxQueuedEvents),
    maxQueuedBytes: atLeastOne("maxQueuedBytes", options.maxQueuedBytes ?? defaults.maxQueuedBytes),
    maxBatchEvents: atLeastOne("maxBatchEvents", options.maxBatchEvents ?? defaults.maxBatchEvents),
    onOverflow: options.onOverflow ?? defaults.onOverflow,
    transport: options.transport ?? "pubsub",
    ledger: options.ledger ?? {},
  };
}

function atLeastOne(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RedisOptionsError(`${name} is ${value}. Give a whole number of at least 1.`);
  }
  return value;
}

/** How channels divide the events. */
export function partitioningOf(channels: readonly string[], field: string | undefined): Partitioning {
  if (channels.length === 1) return { kind: "single" };
  return field === undefined ? { kind: "arbitrary" } : { kind: "by", field };
}
