import { RedisOptionsError, partitionNames } from "@millrace/redis-source";
import type { CommandLine, Value } from "./command-line.ts";
import { integer, oneOf, text } from "./parsers.ts";
import { UsageError } from "./usage-error.ts";

const TRANSPORTS = ["pubsub", "sharded", "stream"] as const;

/** How events travel: Pub/Sub, sharded Pub/Sub, or Streams. */
export type Transport = (typeof TRANSPORTS)[number];

/**
 * By what, and under which name, events travel. Publisher and aggregator must agree on all of it; where the partitions
 * differ, the one that starts later is refused.
 */
export interface TransportSettings {
  readonly transport: Transport;
  /** Name of the channel or stream; that of partitions begins with it. */
  readonly channel: string;
  readonly partitions: number;
  /** Names of the partitions: channels or streams. */
  readonly names: readonly string[];
  /** Field by whose value events are divided among the partitions. */
  readonly partitionBy: string;
}

/** What the options are without a value. */
export interface TransportDefaults {
  readonly channel: string;
  readonly partitionBy: string;
}

/**
 * Declares the options that say how events travel.
 *
 * The value throws a UsageError for a channel that cannot have several partitions.
 */
export function transportOptions(cli: CommandLine, defaults: TransportDefaults): Value<TransportSettings> {
  const transport = cli.option(
    {
      flag: "--transport <kind>",
      env: "MILLRACE_TRANSPORT",
      description: "how events travel: pubsub, sharded (Pub/Sub), or stream",
      parse: oneOf(TRANSPORTS),
    },
    "pubsub",
  );
  const channel = cli.option(
    {
      flag: "--channel <name>",
      env: "REDIS_CHANNEL_NAME",
      description: "channel or stream that carries the events",
      parse: text,
    },
    defaults.channel,
  );
  const partitions = cli.option(
    {
      flag: "--partitions <number>",
      env: "MILLRACE_PARTITIONS",
      description: "how many channels or streams the events are spread over",
      parse: integer(1, 16_384),
    },
    1,
  );
  const partitionBy = cli.option(
    {
      flag: "--partition-by <field>",
      env: "MILLRACE_PARTITION_BY",
      description: "field whose value decides the partition of an event",
      parse: text,
    },
    defaults.partitionBy,
  );
  return () => ({
    transport: transport(),
    channel: channel(),
    partitions: partitions(),
    names: namesOf(channel(), partitions()),
    partitionBy: partitionBy(),
  });
}

function namesOf(channel: string, partitions: number): readonly string[] {
  try {
    return partitionNames(channel, partitions);
  } catch (error) {
    if (error instanceof RedisOptionsError) throw new UsageError(`--partitions: ${error.message}`);
    throw error;
  }
}
