import { UsageError, integer, oneOf } from "@millrace/cli";
import type { CommandLine, TransportSettings, Value } from "@millrace/cli";
import { SHORTEST_WAITING_LENGTH, isProducerName } from "@millrace/redis-source";
import type { StreamFullPolicy } from "@millrace/redis-source";
import { parseDuration } from "@millrace/windowing";

const WHEN_FULL = ["wait", "trim", "fail"] as const satisfies readonly StreamFullPolicy[];
const MAX_LINGER_MS = 60_000;

/** How events are packed into messages, and what a full stream does. */
export interface DeliverySettings {
  /** Most events in a frame, and how long one may wait for others; `undefined`: bare lines, a message each. */
  readonly framing:
    | {
        readonly batch: number;
        readonly lingerMs: number;
        /** A name whose numbers go on after a restart; `undefined`: a new one for each run. */
        readonly lastingProducer?: string;
      }
    | undefined;
  /** Entries in each stream; `undefined`: no bound. */
  readonly maxStreamLength: number | undefined;
  readonly whenFull: StreamFullPolicy;
  /** The partitions are changed on purpose. */
  readonly relayout: boolean;
}

/**
 * Declares the options of packing and retention.
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
    description: "most events in one message, a frame with numbers by which losses and repetitions are told",
    parse: integer(1, 10_000),
    defaultText:
      "64 where there are frames; on plain Pub/Sub bare lines unless --batch, --linger or --producer is given",
  });
  const linger = cli.option({
    flag: "--linger <duration>",
    env: "MILLRACE_LINGER",
    description: "how long an event may wait for its frame to fill up; a bare number is in ms",
    parse: lingerMs,
    defaultText: "10ms",
  });
  const producer = cli.option({
    flag: "--producer <name>",
    env: "MILLRACE_PRODUCER",
    description: "a name of this publisher, under which the numbers of its frames go on after a restart",
    parse: producerName,
    defaultText: "a new one for each run",
  });
  const noHeader = cli.toggle({
    flag: "--no-header",
    env: "MILLRACE_NO_HEADER",
    description: "bare lines, a message each, without numbers",
  });
  const maxStreamLength = cli.option({
    flag: "--max-stream-length <entries>",
    env: "MILLRACE_MAX_STREAM_LENGTH",
    description: "streams: entries that each may have",
    parse: integer(1, Number.MAX_SAFE_INTEGER),
    defaultText: "no bound",
  });
  const whenFull = cli.option(
    {
      flag: "--when-full <policy>",
      env: "MILLRACE_WHEN_FULL",
      description: "streams: wait until a reader has trimmed, trim the oldest entries, or fail",
      parse: oneOf(WHEN_FULL),
    },
    "wait",
  );
  const relayout = cli.toggle({
    flag: "--relayout",
    env: "MILLRACE_RELAYOUT",
    description: "record these partitions in place of others that are recorded",
  });
  return () => {
    const name = producer();
    const asked = batch() !== undefined || linger() !== undefined || name !== undefined;
    if (noHeader() && asked) {
      throw new UsageError(
        "--no-header: bare lines go one by one, without numbers; leave out --batch, --linger and --producer, or --no-header",
      );
    }
    const streams = transport().transport === "stream";
    if (streams && whenFull() === "wait" && (maxStreamLength() ?? Infinity) < SHORTEST_WAITING_LENGTH) {
      throw new UsageError(
        `${cli.givenAs(maxStreamLength) ?? ""}: a stream that events wait for holds at least ${SHORTEST_WAITING_LENGTH} entries, since Redis ` +
          "trims about a hundred at once; give more, or --when-full=trim",
      );
    }
    if (!streams) {
      for (const value of [maxStreamLength, whenFull]) {
        cli.withoutEffect(value, `it is about streams, and --transport is ${transport().transport}`);
      }
    } else if (maxStreamLength() === undefined) {
      cli.withoutEffect(whenFull, "without --max-stream-length a stream is never full");
    }
    const framed = asked || (!noHeader() && transport().transport !== "pubsub");
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
  throw new RangeError(`${JSON.stringify(given)} is no name of 1 to 48 of A-Z a-z 0-9 . _ : -`);
}

function lingerMs(given: string): number {
  const ms = parseDuration(given, 0);
  if (ms <= MAX_LINGER_MS) return ms;
  throw new RangeError(`${JSON.stringify(given)} is longer than ${MAX_LINGER_MS} ms`);
}
