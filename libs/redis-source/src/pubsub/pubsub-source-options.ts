import type { Partitioning } from "@millrace/dataflow";
import { RedisOptionsError } from "../errors.ts";
import type { LedgerOptions } from "../wire/producer-ledger.ts";
import { partitionsOf } from "../partitions/partition-names.ts";
import type { Names } from "../partitions/partition-names.ts";

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
  /** Name of the channel, after which its partitions are named; or the names of several channels, each a partition. */
  readonly channel?: Names;
  /**
   * In place of `channel`: all channels that match, as one partition. As in Redis, `*` is any text, `?` one character, and
   * `[ab]` one of these. Not with `sharded`.
   */
  readonly pattern?: string;
  /** How many partitions the channel has; with more than one they are channels `{channel:0}`, `{channel:1}`, ... `@default 1` */
  readonly partitions?: number;
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

/** {@link QueueSettings}, and the limits of the account of numbers. */
export interface PubSubSettings extends QueueSettings {
  readonly ledger: LedgerOptions;
}

/** Defaults of {@link RedisPubSubSourceOptions}. */
export const DEFAULT_PUBSUB_SOURCE_OPTIONS: QueueSettings = Object.freeze({
  maxQueuedEvents: 65_536,
  maxQueuedBytes: 64 * 1_024 * 1_024,
  maxBatchEvents: 8_192,
  onOverflow: "pause",
});

/** What is subscribed: a channel, a shard channel, or all channels that match a pattern. */
export interface Topic {
  readonly kind: PubSubTransport | "pattern";
  /** The name of the channel, or the pattern. */
  readonly name: string;
}

/** What a source subscribes to, by the names of its partitions. @throws RedisOptionsError */
export function topicsOf(options: RedisPubSubSourceOptions): ReadonlyMap<string, Topic> {
  const { channel, pattern, partitions, transport = "pubsub" } = options;
  if ((channel === undefined) === (pattern === undefined)) {
    throw new RedisOptionsError(
      "A Pub/Sub source reads channels by name or by a pattern: give either channel or pattern.",
    );
  }
  if (channel !== undefined) {
    return new Map(partitionsOf(channel, partitions).map((name) => [name, { kind: transport, name }]));
  }
  if (pattern === undefined || pattern === "")
    throw new RedisOptionsError("The pattern of channels is empty.");
  if (transport === "sharded") {
    throw new RedisOptionsError(
      `The pattern "${pattern}" matches no shard channels, since Redis has no patterns for them: give their names as channel, ` +
        'or let publishers and this source use the transport "pubsub".',
    );
  }
  if (partitions !== undefined && partitions !== 1) {
    throw new RedisOptionsError(
      `The channels that match "${pattern}" are one partition: leave partitions out.`,
    );
  }
  return new Map([[patternPartition(pattern), { kind: "pattern", name: pattern }]]);
}

/** The name of the one partition of all channels that match a pattern: not that of a channel that is named so. */
export function patternPartition(pattern: string): string {
  return `pattern:${pattern}`;
}

/** @throws RedisOptionsError */
export function settingsOf(options: RedisPubSubSourceOptions): PubSubSettings {
  const defaults = DEFAULT_PUBSUB_SOURCE_OPTIONS;
  return {
    maxQueuedEvents: atLeastOne("maxQueuedEvents", options.maxQueuedEvents ?? defaults.maxQueuedEvents),
    maxQueuedBytes: atLeastOne("maxQueuedBytes", options.maxQueuedBytes ?? defaults.maxQueuedBytes),
    maxBatchEvents: atLeastOne("maxBatchEvents", options.maxBatchEvents ?? defaults.maxBatchEvents),
    onOverflow: options.onOverflow ?? defaults.onOverflow,
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
