import {
  CommandLine,
  UsageError,
  drainOption,
  integer,
  kafkaOptions,
  logOptions,
  positive,
  redisOptions,
  streamFieldOption,
  transportOptions,
  withoutStream,
} from "@millrace/cli";
import type {
  KafkaSettings,
  ProgramConfig,
  TransportDefaults,
  TransportSettings,
  Value,
} from "@millrace/cli";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { parseDuration } from "@millrace/windowing/options";
import { httpOptions } from "../options/http-options.ts";
import type { ObserveSettings } from "../options/http-options.ts";
import { deliveryOptions } from "./delivery-options.ts";
import type { DeliverySettings } from "./delivery-options.ts";
import { STDIN, findEventsFile, isRegularFile } from "./events-file.ts";

/** A program that publishes: what it has of its own beside the options that all of them have. */
export interface PublishProgram {
  /** How it is typed, for its help and its log. */
  readonly title: string;
  readonly transport: TransportDefaults;
  /** The file that is published without `--file`. Absent: one must be named. */
  readonly file?: { readonly path: string; readonly description: string };
  /** The field by which events differ that `--generate` makes. Absent: there is no such option. */
  readonly idField?: string;
}

/** Configuration of a publisher. */
export interface PublishConfig extends ProgramConfig {
  /** `undefined`: events go to Kafka. */
  readonly redis: RedisConnectionOptions | undefined;
  readonly kafka: KafkaSettings | undefined;
  readonly transport: TransportSettings;
  /** The field of a stream's entries that holds their messages; `undefined`: the default. */
  readonly streamField: string | undefined;
  readonly delivery: DeliverySettings;
  /** Absolute path, or `-` for standard input. */
  readonly file: string;
  /** Events per second; `undefined`: as fast as Redis accepts them. */
  readonly rate: number | undefined;
  readonly loop: boolean;
  /** Generate events modelled on the lines of the file, and how many; `undefined`: the file itself is published. */
  readonly generate: { readonly events: number; readonly idField: string } | undefined;
  /** 0: do not wait. */
  readonly waitForSubscriberMs: number;
  /** How often progress is shown, ms; `undefined`: the default of the bar or the log. */
  readonly progressEveryMs: number | undefined;
  /** How long the drain may take after a request to stop, ms. */
  readonly drainTimeoutMs: number;
  readonly observe: ObserveSettings;
}

/**
 * @param args without the program's own name
 * @throws UsageError, HelpShown
 */
export function publishConfig(
  program: PublishProgram,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): PublishConfig {
  const cli = new CommandLine(
    program.title,
    "Publishes the lines of a JSONL file to Redis or Kafka, unchanged.",
  );
  const { idField } = program;
  const given = cli.option<string | undefined>(
    {
      flag: "--file <path>",
      env: "EVENTS_JSONL_FILE",
      description: "file to read, or - for standard input",
      parse: (path) => findEventsFile(path, env),
      ...(program.file === undefined ? {} : { defaultText: program.file.description }),
    },
    program.file?.path,
  );
  const rate = cli.option({
    flag: "--rate <events>",
    env: "MILLRACE_RATE",
    description: "events per second",
    parse: positive,
    defaultText: "as fast as Redis accepts them",
  });
  const loop = cli.toggle({
    flag: "--loop",
    env: "MILLRACE_LOOP",
    description: "publish the file again and again, until stopped",
  });
  const { generate, events } = idField === undefined ? NO_GENERATOR : generatorOptions(cli);
  const wait = cli.option(
    {
      flag: "--wait-for-subscriber <duration>",
      env: "MILLRACE_WAIT_FOR_SUBSCRIBER",
      description: "how long to wait for a subscriber; after that, publish all the same and log a warning",
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
  const transport = transportOptions(cli, program.transport);
  const streamField = streamFieldOption(cli);
  const delivery = deliveryOptions(cli, transport);
  const redis = redisOptions(cli);
  const connectTimeoutMs = (): number | undefined => redis().connectTimeoutMs;
  const kafka = kafkaOptions(cli, { transport, connectTimeoutMs });
  const observe = httpOptions(cli);
  const log = logOptions(cli);
  cli.parse(args, env);
  const file = given();
  if (file === undefined) {
    throw new UsageError("--file: name the file to publish, or - for standard input");
  }
  const repeated = generate() !== undefined ? "--generate" : loop() ? "--loop" : undefined;
  if (repeated !== undefined && file === STDIN) {
    throw new UsageError(
      `${repeated}: standard input can be read only once; name a file with --file or EVENTS_JSONL_FILE`,
    );
  }
  if (loop() && generate() === undefined && !isRegularFile(file)) {
    throw new UsageError(
      `--loop: ${file} is not a regular file (a pipe?) and can be read only once; name a regular file`,
    );
  }
  if (generate() === undefined) cli.withoutEffect(events, "it limits --generate, which is not given");
  else {
    cli.withoutEffect(rate, "--generate sets the rate");
    cli.withoutEffect(loop, "--generate does not end at the end of the file");
  }
  withoutStream(cli, streamField, transport());
  const how = transport().transport;
  if ((how === "stream" || how === "kafka") && wait() > 0) {
    cli.withoutEffect(
      wait,
      `a ${how === "stream" ? how : "topic"} keeps events until they are read, and --transport is ${how}`,
    );
  }
  return {
    file,
    rate: generate() === Infinity ? undefined : (generate() ?? rate()),
    loop: loop(),
    generate:
      generate() === undefined || idField === undefined
        ? undefined
        : { events: events() ?? Infinity, idField },
    waitForSubscriberMs: wait(),
    progressEveryMs: progress(),
    drainTimeoutMs: drain(),
    transport: transport(),
    streamField: streamField(),
    delivery: delivery(),
    redis: how === "kafka" ? undefined : redis(),
    kafka: kafka(),
    observe: observe(),
    log: log(),
  };
}

interface GeneratorOptions {
  /** Events per second. */
  readonly generate: Value<number | undefined>;
  readonly events: Value<number | undefined>;
}

const NO_GENERATOR: GeneratorOptions = { generate: () => undefined, events: () => undefined };

function generatorOptions(cli: CommandLine): GeneratorOptions {
  const generate = cli.option({
    flag: "--generate <rate>",
    env: "MILLRACE_GENERATE",
    description: "generate new events modelled on those of the file: events per second, or max",
    parse: (given) => (given === "max" ? Infinity : positive(given)),
    defaultText: "publish the file itself",
  });
  const events = cli.option({
    flag: "--events <number>",
    env: "MILLRACE_EVENTS",
    description: "with --generate: how many events in total",
    parse: integer(1, Number.MAX_SAFE_INTEGER),
    defaultText: "until stopped",
  });
  return { generate, events };
}
