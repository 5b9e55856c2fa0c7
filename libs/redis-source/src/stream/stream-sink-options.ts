import { resolveFraming } from "../wire/framing-options.ts";
import type { FramingOptions, FramingSettings } from "../wire/framing-options.ts";
import { RedisOptionsError } from "../errors.ts";
import { layoutOf } from "../partitions/partition-layout.ts";
import type { PartitionLayout } from "../partitions/partition-layout.ts";
import { partitionNames } from "../partitions/partition-names.ts";
import type { PublishRow } from "../pubsub/pubsub-sink-options.ts";

/**
 * What happens when a stream has `maxStreamLength` entries.
 *
 * - `wait`: rows wait until a reader has trimmed the stream. Nothing is lost, and who feeds the sink has to wait too.
 * - `trim`: the oldest entries go, read or not. Redis removes them by whole nodes, so some more may stay.
 * - `fail`: the write fails with a StreamFullError.
 */
export type StreamFullPolicy = "wait" | "trim" | "fail";

/** Options of {@link RedisStreamSink}. */
export interface RedisStreamSinkOptions extends FramingOptions {
  /** Name of the stream. */
  readonly stream: string;
  /** How many partitions the stream has; with more than one they are streams `{stream:0}`, `{stream:1}`, ... `@default 1` */
  readonly partitions?: number;
  /** With several partitions: the key that decides where a row goes; the same key is always in the same one. */
  readonly keyOf?: (row: PublishRow) => string;
  /**
   * With several partitions: the field whose value `keyOf` gives. It is recorded with their number, so that readers and
   * other publishers that divide the stream differently are refused. `@default not known, and not compared`
   */
  readonly partitionedBy?: string;
  /** Records this layout in place of another one that is recorded. `@default false: it is refused` */
  readonly relayout?: boolean;
  /** Bytes sent to Redis and not yet answered, for each partition; a larger message goes alone. `@default 262_144 (256 KiB)` */
  readonly maxInFlightBytes?: number;
  /** Entries in each stream, heartbeats included. `@default none: it grows until somebody trims it` */
  readonly maxStreamLength?: number;
  /** @default "wait" */
  readonly whenFull?: StreamFullPolicy;
  /** Called with the counts so far whenever Redis has answered, many rows at a time. It must not throw. */
  readonly onProgress?: (stats: StreamSinkStats) => void;
}

/** What a sink has written, all partitions together. */
export interface StreamSinkStats {
  /** Rows that Redis has taken. */
  readonly published: number;
  /** Entries that Redis has taken; heartbeats are entries as well. */
  readonly entries: number;
  /** Bytes of their messages. */
  readonly bytes: number;
  /** Rows sent again because the connection was lost before their answer; in frames, a reader recognises them. */
  readonly resent: number;
  /** How often a full stream made rows wait. */
  readonly waits: number;
  /** Rows that were given to the sink and that Redis has not taken: they wait, or were not sent when it was closed. */
  readonly unsent: number;
  /** How often a connection was lost. */
  readonly disconnects: number;
}

/** How the entries of one stream are bounded. */
export interface StreamLimit {
  readonly maxLength: number;
  readonly whenFull: StreamFullPolicy;
}

/** The same without choices left open. */
export interface StreamSinkSettings {
  readonly name: string;
  /** Streams. */
  readonly names: readonly string[];
  readonly keyOf: ((row: PublishRow) => string) | undefined;
  readonly layout: PartitionLayout;
  readonly relayout: boolean;
  readonly maxInFlightBytes: number;
  readonly limit: StreamLimit | undefined;
  readonly onProgress: ((stats: StreamSinkStats) => void) | undefined;
  readonly framing: FramingSettings | undefined;
}

const DEFAULT_MAX_IN_FLIGHT_BYTES = 256 * 1_024;
/**
 * The least `maxStreamLength` with the policy `wait`. Redis trims whole nodes of a stream, a hundred entries each unless
 * configured: a stream not much longer could stay full though everything in it was read.
 */
export const SHORTEST_WAITING_LENGTH = 1_000;

/** @throws RedisOptionsError */
export function resolveStreamSinkOptions(options: RedisStreamSinkOptions): StreamSinkSettings {
  const {
    stream,
    partitions = 1,
    keyOf,
    partitionedBy,
    relayout = false,
    maxStreamLength,
    whenFull = "wait",
    onProgress,
  } = options;
  const { maxInFlightBytes = DEFAULT_MAX_IN_FLIGHT_BYTES } = options;
  requireAtLeast("maxInFlightBytes", maxInFlightBytes, 1);
  if (maxStreamLength !== undefined) {
    requireAtLeast("maxStreamLength", maxStreamLength, whenFull === "wait" ? SHORTEST_WAITING_LENGTH : 1);
  }
  if (partitions > 1 && keyOf === undefined) {
    throw new RedisOptionsError("Rows for several partitions are divided by a key: give keyOf.");
  }
  return {
    name: stream,
    names: partitionNames(stream, partitions),
    keyOf,
    layout: layoutOf(partitions, partitionedBy),
    relayout,
    maxInFlightBytes,
    limit: maxStreamLength === undefined ? undefined : { maxLength: maxStreamLength, whenFull },
    onProgress,
    framing: resolveFraming(options),
  };
}

function requireAtLeast(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RedisOptionsError(`${name} is ${value}. Give a whole number of at least ${least}.`);
}
