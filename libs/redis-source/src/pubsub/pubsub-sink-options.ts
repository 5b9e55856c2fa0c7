import { resolveFraming } from "../wire/framing-options.ts";
import type { FramingOptions, FramingSettings } from "../wire/framing-options.ts";
import { RedisOptionsError } from "../errors.ts";
import { layoutOf } from "../partitions/partition-layout.ts";
import type { PartitionLayout } from "../partitions/partition-layout.ts";
import { partitionNames } from "../partitions/partition-names.ts";
import type { PubSubTransport } from "./pubsub-source-options.ts";

/** A row: text, or bytes that are published exactly as they are. */
export type PublishRow = string | Uint8Array;

/** What a sink has published, all partitions together. */
export interface PublishStats {
  /** Rows that Redis has taken. */
  readonly published: number;
  /** Bytes of the messages that carried them. */
  readonly bytes: number;
  /** Rows among them that no subscriber got: PUBLISH answered 0. On a cluster it counts one node's subscribers only. */
  readonly unheard: number;
  /** Rows sent again because the connection was lost before their answer; in frames, a subscriber recognises them. */
  readonly resent: number;
  /** Rows that were given to the sink and that Redis has not taken: they wait, or were not sent when it was closed. */
  readonly unsent: number;
  /** How often a connection was lost. */
  readonly disconnects: number;
}

/** Options of {@link RedisPubSubSink}. */
export interface RedisPubSubSinkOptions extends FramingOptions {
  /** Where every row is published. */
  readonly channel: string;
  /** How many partitions the channel has; with more than one they are channels `{channel:0}`, `{channel:1}`, ... `@default 1` */
  readonly partitions?: number;
  /** With several partitions: the key that decides where a row goes; the same key is always in the same one. */
  readonly keyOf?: (row: PublishRow) => string;
  /**
   * With several partitions: the field whose value `keyOf` gives. It is recorded with their number, so that readers and
   * other publishers that divide the channel differently are refused. `@default not known, and not compared`
   */
  readonly partitionedBy?: string;
  /** Records this layout in place of another one that is recorded. `@default false: it is refused` */
  readonly relayout?: boolean;
  /** @default "pubsub" */
  readonly transport?: PubSubTransport;
  /** Bytes sent to Redis and not yet answered, for each partition; a larger message goes alone. `@default 262_144 (256 KiB)` */
  readonly maxInFlightBytes?: number;
  /** Called with the counts so far whenever Redis has answered, many rows at a time. It must not throw. */
  readonly onProgress?: (stats: PublishStats) => void;
}

/** The same without choices left open. */
export interface PubSubSinkSettings {
  readonly name: string;
  /** Channels. */
  readonly names: readonly string[];
  readonly keyOf: ((row: PublishRow) => string) | undefined;
  readonly layout: PartitionLayout;
  readonly relayout: boolean;
  readonly transport: PubSubTransport;
  readonly maxInFlightBytes: number;
  readonly onProgress: ((stats: PublishStats) => void) | undefined;
  readonly framing: FramingSettings | undefined;
}

const DEFAULT_MAX_IN_FLIGHT_BYTES = 256 * 1_024;

/** @throws RedisOptionsError */
export function resolveSinkOptions(options: RedisPubSubSinkOptions): PubSubSinkSettings {
  const {
    channel,
    partitions = 1,
    keyOf,
    partitionedBy,
    relayout = false,
    transport = "pubsub",
    onProgress,
  } = options;
  const { maxInFlightBytes = DEFAULT_MAX_IN_FLIGHT_BYTES } = options;
  if (!Number.isSafeInteger(maxInFlightBytes) || maxInFlightBytes < 1) {
    throw new RedisOptionsError(
      `maxInFlightBytes is ${maxInFlightBytes}. Give a whole number of at least 1.`,
    );
  }
  if (partitions > 1 && keyOf === undefined) {
    throw new RedisOptionsError("Rows for several partitions are divided by a key: give keyOf.");
  }
  const names = partitionNames(channel, partitions);
  const layout = layoutOf(partitions, partitionedBy);
  return {
    name: channel,
    names,
    keyOf,
    layout,
    relayout,
    transport,
    maxInFlightBytes,
    onProgress,
    framing: resolveFraming(options),
  };
}
