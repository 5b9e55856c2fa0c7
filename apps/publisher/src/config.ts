import { CommandLine, logOptions, notNegative, positive, redisOptions, UsageError } from "@millrace/cli";
import type { ProgramConfig, RedisSettings } from "@millrace/cli";
import { DEFAULT_EVENTS_FILE, STDIN, findEventsFile } from "./events-file.ts";

/** Everything that the publisher can be told. */
export interface PublisherConfig extends ProgramConfig {
  readonly redis: RedisSettings;
  /** Absolute path, or `-` for standard input. */
  readonly file: string;
  /** Events per second; `undefined`: as fast as Redis takes them. */
  readonly rate: number | undefined;
  readonly loop: boolean;
  /** 0: does not wait. */
  readonly waitForSubscriberMs: number;
  /** How often progress is told; `undefined`: as suits a bar or a log. */
  readonly progressEveryMs: number | undefined;
}

/**
 * @param args without the program's own name
 * @throws UsageError, HelpShown
 */
export function publisherConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): PublisherConfig {
  const cli = new CommandLine(
    "publisher",
    "Publishes the lines of a JSONL file on a Redis channel, as they are.",
  );
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
  const wait = cli.option(
    {
      flag: "--wait-for-subscriber <seconds>",
      env: "MILLRACE_WAIT_FOR_SUBSCRIBER",
      description: "how long to wait until somebody listens; then it goes on with a warning",
      parse: notNegative,
    },
    10,
  );
  const progress = cli.option({
    flag: "--progress-every <seconds>",
    env: "MILLRACE_PROGRESS_EVERY",
    description: "how often progress is shown",
    parse: positive,
    defaultText: "0.2 on a terminal, else 5",
  });
  const redis = redisOptions(cli);
  const log = logOptions(cli);
  cli.parse(args, env);
  if (loop() && file() === STDIN) {
    throw new UsageError(
      "--loop: standard input can be read only once; give a file with --file or EVENTS_JSONL_FILE",
    );
  }
  const everyMs = progress();
  return {
    file: file(),
    rate: rate(),
    loop: loop(),
    waitForSubscriberMs: wait() * 1_000,
    progressEveryMs: everyMs === undefined ? undefined : Math.max(1, Math.round(everyMs * 1_000)),
    redis: redis(),
    log: log(),
  };
}
