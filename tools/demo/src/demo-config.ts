import { CommandLine, integer, logOptions, text } from "@millrace/cli";
import type { ProgramConfig } from "@millrace/cli";
import { parseDuration } from "@millrace/windowing";

/** Configuration of the demo. */
export interface DemoConfig extends ProgramConfig {
  /** How long the replay takes, s. */
  readonly seconds: number;
  readonly window: string;
  readonly idleMs: number;
  /** Go on, replay after replay, until a request to stop. */
  readonly keep: boolean;
  /** Port of the page; 0: a free one. */
  readonly httpPort: number;
  /** The environment names a Redis, so the demo starts none. */
  readonly namedRedis: boolean;
}

/**
 * @param args without the program's own name
 * @throws UsageError, HelpShown
 */
export function demoConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): DemoConfig {
  const cli = new CommandLine(
    "demo",
    "Replays data/events.jsonl through a real Redis and shows the windows as they close. " +
      "Starts a Redis of its own unless REDIS_URL, REDIS_HOST or REDIS_SENTINELS names one.",
  );
  const duration = cli.option(
    {
      flag: "--duration <duration>",
      env: "MILLRACE_DEMO_DURATION",
      description: "how long the replay takes",
      parse: (given) => parseDuration(given),
      defaultText: "12s",
    },
    12_000,
  );
  const window = cli.option(
    {
      flag: "--window <kind:length>",
      env: "MILLRACE_DEMO_WINDOW",
      description: "length of the windows",
      parse: text,
    },
    "tumbling:5s",
  );
  const idle = cli.option(
    {
      flag: "--exit-when-idle <duration>",
      env: "MILLRACE_DEMO_EXIT_WHEN_IDLE",
      description: "time without events after which the input has ended",
      parse: (given) => parseDuration(given),
      defaultText: "2s",
    },
    2_000,
  );
  const keep = cli.toggle({
    flag: "--keep",
    env: "MILLRACE_DEMO_KEEP",
    description: "replay again and again until Ctrl-C, to look at the page",
  });
  const httpPort = cli.option(
    {
      flag: "--http <port>",
      env: "MILLRACE_DEMO_HTTP_PORT",
      description: "port of the page on this machine",
      parse: integer(0, 65_535),
      defaultText: "a free one",
    },
    0,
  );
  const log = logOptions(cli);
  cli.parse(args, env);
  const named = [env["REDIS_URL"], env["REDIS_HOST"], env["REDIS_SENTINELS"]].some(
    (value) => value !== undefined && value !== "",
  );
  return {
    seconds: duration() / 1_000,
    window: window(),
    idleMs: idle(),
    keep: keep(),
    httpPort: httpPort(),
    namedRedis: named,
    log: log(),
  };
}
