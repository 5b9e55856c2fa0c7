import {
  CommandLine,
  UsageError,
  drainOption,
  integer,
  logOptions,
  positive,
  redisOptions,
  transportOptions,
} from "@millrace/cli";
import type { ProgramConfig, TransportSettings } from "@millrace/cli";
import { CLICK_TRANSPORT } from "@millrace/event-schema";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { parseDuration } from "@millrace/windowing";
import { deliveryOptions } from "./delivery-options.ts";
import type { DeliverySettings } from "./delivery-options.ts";
import { DEFAULT_EVENTS_FILE, STDIN, findEventsFile, isRegularFile } from "./events-file.ts";

/** Everything that the publisher can be told. */
export interface PublisherConfig extends ProgramConfig {
  readonly redis: RedisConnectionOptions;
  readonly transport: TransportSettings;
  readonly delivery: DeliverySettings;
  /** Absolute path, or `-` for standard input. */
  readonly file: string;
  /** Events per second; `undefined`: as fast as Redis takes them. */
  readonly rate: number | undefined;
  readonly loop: boolean;
  /** Events are made after the lines of the file, so many of them; `undefined`: the file itself is published. */
  readonly generate: { readonly events: number } | undefined;
  /** 0: does not wait. */
  readonly waitForSubscriberMs: number;
  /** How often progress is told; `undefined`: as suits a bar or a log. */
  readonly progressEveryMs: number | undefined;
  /** How long finishing may take after a request to stop, ms. */
  readonly drainTimeoutMs: number;
}

/**
 * @param args without the program's own name
 * @throws UsageError, HelpShown
 */
export function publisherConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): PublisherConfig {
  const cli = new CommandLine("publisher", "Publishes the lines of a JSONL file in Redis, as they are.");
  const file = cli.option(
    {
      flag: "--file <path>",
      env: "EVENTS_JSONL_FILE",
      description: "file to read, or - for standard input",
      parse: (given) => findEventsFile(given, env),
      defaultText: "data/events.jsonl of the project",
    },
    DEFAULT_EVENTS_FILE,
  );
  const rate = cli.option({
    flag: "--rate <events>",
    env: "MILLRACE_RATE",
    description: "events per second",
    parse: positive,
    defaultText: "as fast as Redis takes them",
  });
  const loop = cli.toggle({
    flag: "--loop",
    env: "MILLRACE_LOOP",
    description: "start again at the end of the file, until stopped",
  });
  const generate = cli.option({
    flag: "--generate <rate>",
    env: "MILLRACE_GENERATE",
    description: "make new events after those of the file: so many per second, or max",
    parse: (given) => (given === "max" ? Infinity : positive(given)),
    defaultText: "publish the file itself",
  });
  const events = cli.option({
    flag: "--events <number>",
    env: "MILLRACE_EVENTS",
    description: "with --generate: how many in all",
    parse: integer(1, Number.MAX_SAFE_INTEGER),
    defaultText: "until stopped",
  });
  const wait = cli.option(
    {
      flag: "--wait-for-subscriber <duration>",
      env: "MILLRACE_WAIT_FOR_SUBSCRIBER",
      description: "how long to wait until somebody listens; then it goes on with a warning",
      parse: (given) => parseDuration(given, 0),
      defaultText: "10s",
    },
    10_000,
  );
  const progress = cli.option({
    flag: "--progress-every <duration>",
    env: "MILLRACE_PROGRESS_EVERY",
    description: "how often progress is shown",
    parse: (given) => parseDuration(given),
    defaultText: "200ms on a terminal, else 5s",
  });
  const drain = drainOption(cli, "5s");
  const transport = transportOptions(cli, CLICK_TRANSPORT);
  const delivery = deliveryOptions(cli, transport);
  const redis = redisOptions(cli);
  const log = logOptions(cli);
  cli.parse(args, env);
  const repeated = generate() !== undefined ? "--generate" : loop() ? "--loop" : undefined;
  if (repeated !== undefined && file() === STDIN) {
    throw new UsageError(
      `${repeated}: standard input can be read only once; give a file with --file or EVENTS_JSONL_FILE`,
    );
  }
  if (loop() && generate() === undefined && !isRegularFile(file())) {
    throw new UsageError(`--loop: ${file()} is a pipe or the like, which can be read only once; give a file`);
  }
  if (generate() === undefined) cli.withoutEffect(events, "it says how many --generate makes");
  else {
    cli.withoutEffect(rate, "--generate says the rate");
    cli.withoutEffect(loop, "--generate goes on by itself");
  }
  if (transport().transport === "stream" && wait() > 0) {
    cli.withoutEffect(wait, "a stream keeps events until they are read, and --transport is stream");
  }
  return {
    file: file(),
    rate: generate() === Infinity ? undefined : (generate() ?? rate()),
    loop: loop(),
    generate: generate() === undefined ? undefined : { events: events() ?? Infinity },
    waitForSubscriberMs: wait(),
    progressEveryMs: progress(),
    drainTimeoutMs: drain(),
    transport: transport(),
    delivery: delivery(),
    redis: redis(),
    log: log(),
  };
}
