import { RedisOptionsError } from "../errors.ts";
import { layoutOf } from "../partitions/partition-layout.ts";
import type { PartitionLayout } from "../partitions/partition-layout.ts";
import { partitionNames } from "../partitions/partition-names.ts";
import { requireAtLeast, resolveFraming } from "./framing-options.ts";
import type { FramingOptions, FramingSettings } from "./framing-options.ts";
import type { PublishRow } from "./transport.ts";

/** Options of every sink of channels or streams. */
export interface PartitionedSinkOptions extends FramingOptions {
  /** How many partitions there are; with more than one they are named `{name:0}`, `{name:1}`, ... `@default 1` */
  readonly partitions?: number;
  /** With several partitions: the key that decides the partition of a row; the same key is always in the same one. */
  readonly keyOf?: (row: PublishRow) => string;
  /**
   * With several partitions: the field whose value `keyOf` returns. It is recorded with the number of partitions, so that
   * readers and other publishers with another layout are refused. `@default not known, and not compared`
   */
  readonly partitionedBy?: string;
  /** Replaces another layout that is recorded. `@default false: the sink is refused` */
  readonly relayout?: boolean;
  /** Bytes sent to Redis and not yet answered, for each partition; a larger message is sent alone. `@default 262_144 (256 KiB)` */
  readonly maxInFlightBytes?: number;
}

/** Resolved options. */
export interface PartitionedSinkSettings {
  /** Of the channel or stream as a whole. */
  readonly name: string;
  /** Channels or streams. */
  readonly names: readonly string[];
  readonly keyOf: ((row: PublishRow) => string) | undefined;
  readonly layout: PartitionLayout;
  readonly relayout: boolean;
  readonly maxInFlightBytes: number;
  readonly framing: FramingSettings | undefined;
}

const DEFAULT_MAX_IN_FLIGHT_BYTES = 256 * 1_024;

/** @throws RedisOptionsError */
export function resolveSinkOptions(name: string, options: PartitionedSinkOptions): PartitionedSinkSettings {
  const { partitions = 1, keyOf, partitionedBy, relayout = false } = options;
  const { maxInFlightBytes = DEFAULT_MAX_IN_FLIGHT_BYTES } = options;
  requireAtLeast("maxInFlightBytes", maxInFlightBytes, 1);
  if (partitions > 1 && keyOf === undefined) {
    throw new RedisOptionsError("Rows for several partitions are divided by a key: give keyOf.");
  }
  return {
    name,
    names: partitionNames(name, partitions),
    keyOf,
    layout: layoutOf(partitions, partitionedBy),
    relayout,
    maxInFlightBytes,
    framing: resolveFraming(options),
  };
}
