import { RedisOptionsError, partitionNames } from "@millrace/redis-source";
import type { CommandLine, Value } from "./command-line.ts";
import { integer, oneOf, text } from "./parsers.ts";
import { UsageError } from "./errors.ts";

const TRANSPORTS = ["pubsub", "sharded", "stream"] as const;

/** How events are transported: Pub/Sub, sharded Pub/Sub, or Streams. */
export type Transport = (typeof TRANSPORTS)[number];

/**
 * Transport and names of the partitions. Publisher and aggregator must have the same; if the partitions differ, the
 * program that starts later is refused.
 */
export interface TransportSettings {
  readonly transport: Transport;
  /** Name of the channel or stream, and prefix of the partitions' names. */
  readonly channel: string;
  readonly partitions: number;
  /** Names of the partitions, which are channels or streams. */
  readonly names: readonly string[];
  /** Field whose value decides the partition of an event; `undefined`: there is one partition. */
  readonly partitionBy: string | undefined;
}

/** The defaults. */
export interface TransportDefaults {
  readonly channel: string;
  /** Absent: several partitions need the option. */
  readonly partitionBy?: string;
}

/**
 * Declares the options of the transport.
 *
 * The value throws a UsageError for a channel that cannot have several partitions, and for several without a field.
 */
export function transportOptions(cli: CommandLine, defaults: TransportDefaults): Value<TransportSettings> {
  const transport = cli.option(
    {
      flag: "--transport <kind>",
      env: "MILLRACE_TRANSPORT",
      description: "transport of events: pubsub, sharded (Pub/Sub), or stream",
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
      description: "number of partitions, each a channel or a stream",
      parse: integer(1, 16_384),
    },
    1,
  );
  const partitionBy = cli.option<string | undefined>(
    {
      flag: "--partition-by <field>",
      env: "MILLRACE_PARTITION_BY",
      description: "field whose value decides the partition of an event",
      parse: text,
      defaultText: defaults.partitionBy ?? "none; several partitions need it",
    },
    defaults.partitionBy,
  );
  return () => ({
    transport: transport(),
    channel: channel(),
    partitions: partitions(),
    names: namesOf(channel(), partitions()),
    partitionBy: dividedBy(partitionBy(), partitions()),
  });
}

function dividedBy(field: string | undefined, partitions: number): string | undefined {
  if (field !== undefined || partitions === 1) return field;
  throw new UsageError("--partitions: name the field that divides the events among them with --partition-by");
}

function namesOf(channel: string, partitions: number): readonly string[] {
  try {
    return partitionNames(channel, partitions);
  } catch (error) {
    if (error instanceof RedisOptionsError) throw new UsageError(`--partitions: ${error.message}`);
    throw error;
  }
}
