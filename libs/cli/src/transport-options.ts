import { RedisOptionsError, partitionsOf, patternPartition } from "@millrace/redis-source/options";
import type { CommandLine, OptionSpec, Value } from "./command-line.ts";
import { integer, listOf, oneOf, text } from "./parsers.ts";
import { UsageError } from "./errors.ts";

const TRANSPORTS = ["pubsub", "sharded", "stream", "kafka"] as const;

/** How events are transported: Pub/Sub, sharded Pub/Sub, or Streams of Redis, or Kafka. */
export type Transport = (typeof TRANSPORTS)[number];

/**
 * Where a program writes. Publisher and aggregator must have the same; if the partitions differ, the program that starts
 * later is refused.
 */
export interface TransportSettings {
  readonly transport: Transport;
  /** Name of the channel, stream or topic, and prefix of the partitions' names. */
  readonly channel: string;
  /** With Kafka 1: the partitions are the topic's. */
  readonly partitions: number;
  /** Names of the partitions, which are channels or streams; none for Kafka. */
  readonly names: readonly string[];
  /** Field whose value decides the partition of an event; `undefined`: there is one partition. */
  readonly partitionBy: string | undefined;
}

/** What a program reads. */
export interface InputSettings {
  readonly transport: Transport;
  /** Names of the channels or streams; if there are several, each is a partition. One topic. None: see `pattern`. */
  readonly channels: readonly string[];
  /** All channels that match it are one partition; `undefined`: see `channels`. */
  readonly pattern: string | undefined;
  readonly partitions: number;
  /** Names of the partitions; none for Kafka, whose topics have their own. */
  readonly names: readonly string[];
  /** Field whose value decides the partition of an event; `undefined`: no field of channels with names of their own does. */
  readonly partitionBy: string | undefined;
}

/** The defaults. */
export interface TransportDefaults {
  readonly channel: string;
  /** Absent: several partitions need the option. */
  readonly partitionBy?: string;
}

/**
 * Declares where a program writes.
 *
 * The value throws a UsageError for a channel that cannot have several partitions, and for several without a field.
 */
export function transportOptions(cli: CommandLine, defaults: TransportDefaults): Value<TransportSettings> {
  const transport = transportOption(cli);
  const channel = cli.option({ ...CHANNEL, parse: oneName }, defaults.channel);
  const { partitions, partitionBy } = partitionOptions(cli, defaults);
  return () => {
    const common = { transport: transport(), channel: channel(), partitions: partitions() };
    if (transport() === "kafka") {
      cli.withoutEffect(partitions, OF_TOPIC);
      return { ...common, partitions: 1, names: [], partitionBy: partitionBy() };
    }
    const names = namesOf([channel()], partitions());
    return { ...common, names, partitionBy: dividedBy(partitionBy(), partitions()) };
  };
}

/**
 * Declares what a program reads: channels or streams by name, or channels by a pattern.
 *
 * The value throws a UsageError for options that contradict each other, and for names that cannot be read together.
 */
export function inputOptions(cli: CommandLine, defaults: TransportDefaults): Value<InputSettings> {
  const transport = transportOption(cli);
  const channel: Value<readonly string[]> = cli.option(
    {
      ...CHANNEL,
      parse: listOf(text),
      unless: () => cli.sourceOf(pattern) === "flag",
      defaultText: defaults.channel,
    },
    [defaults.channel],
  );
  const pattern: Value<string | undefined> = cli.option({
    flag: "--channel-pattern <pattern>",
    env: "MILLRACE_CHANNEL_PATTERN",
    description:
      "pubsub: read all channels that match, as one partition, in place of --channel; such as clicks:*",
    parse: text,
    defaultText: "none",
    unless: () => cli.sourceOf(channel) === "flag",
  });
  const { partitions, partitionBy } = partitionOptions(cli, defaults);
  return () => {
    const [by, many] = [pattern(), partitions()];
    const common = { transport: transport(), pattern: by, partitions: many };
    if (by === undefined && transport() === "kafka") {
      cli.withoutEffect(partitions, OF_TOPIC);
      const [topic, ...others] = channel();
      if (others.length > 0) throw new UsageError("--channel: with Kafka a flow reads one topic; name one");
      return { ...common, partitions: 1, channels: [topic ?? ""], names: [], partitionBy: partitionBy() };
    }
    if (by === undefined) {
      const channels = channel();
      const known = channels.length === 1 || cli.sourceOf(partitionBy) !== undefined;
      const names = namesOf(channels, many);
      return { ...common, channels, names, partitionBy: known ? dividedBy(partitionBy(), many) : undefined };
    }
    const option = cli.givenAs(pattern) ?? "";
    if (cli.sourceOf(channel) !== undefined) {
      throw new UsageError(
        `${option}: ${cli.givenAs(channel) ?? ""} names channels too; leave one of them out`,
      );
    }
    if (transport() !== "pubsub") {
      if (transport() === "kafka")
        throw new UsageError(`${option}: it applies to Pub/Sub only; name the topic with --channel`);
      const what = transport() === "stream" ? "streams" : "shard channels";
      throw new UsageError(
        `${option}: Redis has no patterns for ${what}; name them with --channel=a,b` +
          (transport() === "stream" ? "" : ", or use --transport=pubsub for publishers too"),
      );
    }
    if (many !== 1)
      throw new UsageError(`--partitions: all channels of ${option} are one partition; leave it out`);
    return { ...common, channels: [], names: [patternPartition(by)], partitionBy: partitionBy() };
  };
}

/** Declares the field of a stream's entries that holds their messages. `undefined`: it was not given. */
export function streamFieldOption(cli: CommandLine): Value<string | undefined> {
  return cli.option({
    flag: "--stream-field <name>",
    env: "MILLRACE_STREAM_FIELD",
    description: "streams: field of an entry that holds the message",
    parse: text,
    defaultText: "data",
  });
}

/** Reports an option for streams and topics that was given with Pub/Sub. @throws UsageError */
export function withoutLog(
  cli: CommandLine,
  option: Value<unknown>,
  { transport }: Pick<TransportSettings, "transport">,
): void {
  if (transport !== "kafka") withoutStream(cli, option, { transport });
}

/** Reports an option for streams that was given with another transport. @throws UsageError */
export function withoutStream(
  cli: CommandLine,
  option: Value<unknown>,
  { transport }: Pick<TransportSettings, "transport">,
): void {
  if (transport !== "stream") {
    cli.withoutEffect(option, `it applies to streams only, and --transport is ${transport}`);
  }
}

const OF_TOPIC = "with Kafka the partitions are the topic's";

const CHANNEL: Pick<OptionSpec<unknown>, "flag" | "env" | "description"> = {
  flag: "--channel <name>",
  env: "REDIS_CHANNEL_NAME",
  description:
    "channel, stream or topic that carries the events; readers take several channels or streams, a,b, each a partition",
};

function transportOption(cli: CommandLine): Value<Transport> {
  return cli.option(
    {
      flag: "--transport <kind>",
      env: "MILLRACE_TRANSPORT",
      description: "transport of events: pubsub, sharded (Pub/Sub), stream, or kafka",
      parse: oneOf(TRANSPORTS),
    },
    "pubsub",
  );
}

function partitionOptions(
  cli: CommandLine,
  defaults: TransportDefaults,
): { readonly partitions: Value<number>; readonly partitionBy: Value<string | undefined> } {
  const partitions = cli.option(
    {
      flag: "--partitions <number>",
      env: "MILLRACE_PARTITIONS",
      description: "number of partitions, each a channel or a stream; with Kafka they are the topic's",
      parse: integer(1, 16_384),
    },
    1,
  );
  const partitionBy = cli.option<string | undefined>(
    {
      flag: "--partition-by <field>",
      env: "MILLRACE_PARTITION_BY",
      description: "field whose value decides the partition of an event; with several names none is assumed",
      parse: text,
      defaultText: defaults.partitionBy ?? "none; several partitions need it",
    },
    defaults.partitionBy,
  );
  return { partitions, partitionBy };
}

/** @throws UsageError for several partitions without a field */
function dividedBy(field: string | undefined, partitions: number): string | undefined {
  if (field !== undefined || partitions === 1) return field;
  throw new UsageError("--partitions: name the field that divides the events among them with --partition-by");
}

function oneName(given: string): string {
  if (!given.includes(",")) return text(given);
  throw new RangeError(
    `${JSON.stringify(given)} are several names, and this program writes to one channel or stream`,
  );
}

function namesOf(channels: readonly string[], partitions: number): readonly string[] {
  try {
    return partitionsOf(channels, partitions);
  } catch (error) {
    if (!(error instanceof RedisOptionsError)) throw error;
    throw new UsageError(`${partitions === 1 ? "--channel" : "--partitions"}: ${error.message}`);
  }
}
