import { UsageError, integer, oneOf, withoutStream } from "@millrace/cli";
import type { CommandLine, TransportSettings, Value } from "@millrace/cli";
import { SHORTEST_WAITING_LENGTH, isProducerName } from "@millrace/redis-source/options";
import type { StreamFullPolicy } from "@millrace/redis-source";
import { parseDuration } from "@millrace/windowing/options";

const WHEN_FULL = ["wait", "trim", "fail"] as const satisfies readonly StreamFullPolicy[];
const OF_KAFKA =
  "with Kafka each event is a record, which the producer numbers itself, and the partitions are the topic's";
const MAX_LINGER_MS = 60_000;

/** How events are packed into messages, and what a full stream does. */
export interface DeliverySettings {
  /** Maximum number of events in a frame, and how long an event may wait for others; `undefined`: bare lines, one a message. */
  readonly framing:
    | {
        readonly batch: number;
        readonly lingerMs: number;
        /** Name of the producer: its numbers continue after a restart; `undefined`: a new one for each run. */
        readonly lastingProducer?: string;
      }
    | undefined;
  /** Maximum number of entries in each stream; `undefined`: no bound. */
  readonly maxStreamLength: number | undefined;
  readonly whenFull: StreamFullPolicy;
  /** Whether to replace the partition layout that is recorded in Redis. */
  readonly relayout: boolean;
}

/**
 * Declares the options for frames and for the length of streams.
 *
 * The value throws a UsageError for options that contradict each other.
 */
export function deliveryOptions(
  cli: CommandLine,
  transport: Value<TransportSettings>,
): Value<DeliverySettings> {
  const batch = cli.option({
    flag: "--batch <events>",
    env: "MILLRACE_BATCH",
    description:
      "maximum number of events in one frame; a frame has numbers, by which readers detect losses and duplicates",
    parse: integer(1, 10_000),
    defaultText: "64; plain Pub/Sub sends bare lines unless --batch, --linger or --producer is given",
  });
  const linger = cli.option({
    flag: "--linger <duration>",
    env: "MILLRACE_LINGER",
    description: "how long an event may wait for its frame to fill up",
    parse: lingerMs,
    defaultText: "10ms",
  });
  const producer = cli.option({
    flag: "--producer <name>",
    env: "MILLRACE_PRODUCER",
    description: "name of this publisher as a producer: the numbers of its frames continue after a restart",
    parse: producerName,
    defaultText: "a new one for each run",
  });
  const noHeader = cli.toggle({
    flag: "--no-header",
    env: "MILLRACE_NO_HEADER",
    description: "send bare lines, one a message, without numbers",
  });
  const maxStreamLength = cli.option({
    flag: "--max-stream-length <entries>",
    env: "MILLRACE_MAX_STREAM_LENGTH",
    description: "streams: maximum number of entries in each",
    parse: integer(1, Number.MAX_SAFE_INTEGER),
    defaultText: "no bound",
  });
  const whenFull = cli.option(
    {
      flag: "--when-full <policy>",
      env: "MILLRACE_WHEN_FULL",
      description:
        "streams: what to do when one is full: wait until a reader trims it, trim its oldest entries, or fail",
      parse: oneOf(WHEN_FULL),
    },
    "wait",
  );
  const relayout = cli.toggle({
    flag: "--relayout",
    env: "MILLRACE_RELAYOUT",
    description: "replace the partition layout that is recorded in Redis by this one",
  });
  return () => {
    const name = producer();
    const asked = batch() !== undefined || linger() !== undefined || name !== undefined;
    if (noHeader() && asked) {
      throw new UsageError(
        "--no-header: bare lines are sent one by one, without numbers; leave out --batch, --linger and --producer, or --no-header",
      );
    }
    const streams = transport().transport === "stream";
    if (transport().transport === "kafka") {
      for (const value of [batch, linger, producer, noHeader, relayout]) cli.withoutEffect(value, OF_KAFKA);
    }
    if (streams && whenFull() === "wait" && (maxStreamLength() ?? Infinity) < SHORTEST_WAITING_LENGTH) {
      throw new UsageError(
        `${cli.givenAs(maxStreamLength) ?? ""}: with --when-full=wait the minimum is ${SHORTEST_WAITING_LENGTH} entries, since Redis ` +
          "trims about a hundred at once; use a larger number, or --when-full=trim",
      );
    }
    for (const value of [maxStreamLength, whenFull]) withoutStream(cli, value, transport());
    if (streams && maxStreamLength() === undefined) {
      cli.withoutEffect(whenFull, "without --max-stream-length a stream is never full");
    }
    const sharded = transport().transport === "sharded";
    const framed = transport().transport !== "kafka" && (asked || (!noHeader() && (streams || sharded)));
    return {
      framing: framed
        ? {
            batch: batch() ?? 64,
            lingerMs: linger() ?? 10,
            ...(name === undefined ? {} : { lastingProducer: name }),
          }
        : undefined,
      maxStreamLength: maxStreamLength(),
      whenFull: whenFull(),
      relayout: relayout(),
    };
  };
}

function producerName(given: string): string {
  if (isProducerName(given)) return given;
  throw new RangeError(`${JSON.stringify(given)} is not a name of 1 to 48 characters A-Z a-z 0-9 . _ : -`);
}

function lingerMs(given: string): number {
  const ms = parseDuration(given, 0);
  if (ms <= MAX_LINGER_MS) return ms;
  throw new RangeError(`${JSON.stringify(given)} is longer than ${MAX_LINGER_MS} ms`);
}
