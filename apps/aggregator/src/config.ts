import {
  CommandLine,
  UsageError,
  drainOption,
  logOptions,
  oneOf,
  parseDuration,
  positive,
  redisOptions,
  text,
  transportOptions,
} from "@millrace/cli";
import type { ProgramConfig, TransportSettings } from "@millrace/cli";
import type { IdleFrom } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { flowOptions } from "./flow-options.ts";
import type { FlowSettings } from "./flow-options.ts";
import { taskOptions } from "./task-options.ts";

const STORES = ["none", "redis"] as const;
const IDLE_FROM: readonly IdleFrom[] = ["first-event", "start"];
const SINKS = ["stdout", "redis"] as const;

/** Everything that the aggregator can be told. */
export interface AggregatorConfig extends ProgramConfig {
  readonly flow: FlowSettings;
  readonly redis: RedisConnectionOptions;
  readonly transport: TransportSettings;
  /** Names of the partitions to run; `undefined`: all. */
  readonly tasks: readonly string[] | undefined;
  readonly start: string;
  /** `undefined`: the flow's id. */
  readonly group: string | undefined;
  readonly trim: boolean;
  readonly store: (typeof STORES)[number];
  /** `Infinity`: as long as it takes. */
  readonly storeTimeoutMs: number;
  readonly sink: (typeof SINKS)[number];
  /** `undefined`: results stay. */
  readonly resultTtlMs: number | undefined;
  /** `Infinity`: never. */
  readonly exitWhenIdleMs: number;
  readonly idleFrom: IdleFrom;
  readonly closeWindows: boolean;
  /** How long finishing may take after a request to stop, ms. */
  readonly drainTimeoutMs: number;
}

/**
 * @param args without the program's own name
 * @throws UsageError, HelpShown
 */
export function aggregatorConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): AggregatorConfig {
  const cli = new CommandLine(
    "aggregator",
    "Reads click events from Redis and gives out what a flow makes of them. " +
      "Other commands, each with a --help of its own: aggregator graph, inspect, reset.",
    ["graph", "inspect", "reset"],
  );
  const flow = flowOptions(cli, env);
  const idle = cli.option(
    {
      flag: "--exit-when-idle <seconds>",
      env: "MILLRACE_EXIT_WHEN_IDLE",
      description:
        "end once nothing has come for so long after what --idle-from says; where state is kept, open windows show what they have and stay open",
      parse: positive,
      defaultText: "never",
    },
    Infinity,
  );
  const idleFrom = cli.option(
    {
      flag: "--idle-from <what>",
      env: "MILLRACE_IDLE_FROM",
      description:
        "with --exit-when-idle: first-event (or a resume), so that publishers may begin later, or start, so that an empty input ends it too",
      parse: oneOf(IDLE_FROM),
    },
    "first-event",
  );
  const closeWindows = cli.toggle({
    flag: "--close-windows",
    env: "MILLRACE_CLOSE_WINDOWS",
    description: "with --exit-when-idle: close all windows for good, also where state is kept",
  });
  // Kubernetes ends a container 30 s after it has asked it to stop.
  const drain = drainOption(cli, "25s");
  const sink = cli.option(
    {
      flag: "--sink <kind>",
      env: "MILLRACE_SINK",
      description: "where rows go: stdout, or redis (in the very step that commits what they come from)",
      parse: oneOf(SINKS),
    },
    "stdout",
  );
  const resultTtlMs = cli.option({
    flag: "--result-ttl <duration>",
    env: "MILLRACE_RESULT_TTL",
    description:
      "how long a window's rows stay in Redis after the last of them; at least the window's length and --allowed-lateness together",
    parse: (given) => parseDuration(given),
    defaultText: "for ever",
  });
  const store = cli.option({
    flag: "--store <kind>",
    env: "MILLRACE_STORE",
    description: "where state is kept, so that the next run goes on: redis, or none",
    parse: oneOf(STORES),
    defaultText: "redis for streams and for --sink=redis, else none",
  });
  const storeTimeoutMs = cli.option(
    {
      flag: "--store-timeout <duration>",
      env: "MILLRACE_STORE_TIMEOUT",
      description:
        "end when the store, once reached, has not answered for so long; until then the tasks wait for it",
      parse: (given) => parseDuration(given),
      defaultText: "never",
    },
    Infinity,
  );
  const transport = transportOptions(cli);
  const tasks = taskOptions(cli, transport);
  const start = cli.option(
    {
      flag: "--start <where>",
      env: "MILLRACE_START",
      description:
        "streams: where a task begins that has never committed: earliest, latest, or after an entry's id",
      parse: startOfStream,
    },
    "earliest",
  );
  const group = cli.option({
    flag: "--group <name>",
    env: "MILLRACE_GROUP",
    description: "streams: consumer group that shows how far the tasks have come",
    parse: text,
    defaultText: "the flow's id",
  });
  const trim = cli.toggle({
    flag: "--trim",
    env: "MILLRACE_TRIM",
    description: "streams: delete entries that this flow has committed and every other group has passed",
  });
  const redis = redisOptions(cli);
  const log = logOptions(cli);
  cli.parse(args, env);

  // Rows in Redis appear with the commit of the state that they come from.
  const kept = transport().transport === "stream" || sink() === "redis" ? "redis" : "none";
  if (sink() === "redis" && store() === "none") {
    throw new UsageError(
      "--store: rows go to Redis together with the state they come from; leave --store=none out, or use --sink=stdout",
    );
  }
  refuseShortTtl(resultTtlMs(), flow());
  return {
    flow: flow(),
    exitWhenIdleMs: idle() * 1_000,
    idleFrom: idleFrom(),
    closeWindows: closeWindows(),
    drainTimeoutMs: drain(),
    sink: sink(),
    resultTtlMs: resultTtlMs(),
    store: store() ?? kept,
    storeTimeoutMs: storeTimeoutMs(),
    transport: transport(),
    tasks: tasks(),
    start: start(),
    group: group(),
    trim: trim(),
    redis: redis(),
    log: log(),
  };
}

/** A window whose rows had gone would come back in part with the next row that corrects it. @throws UsageError */
function refuseShortTtl(ttlMs: number | undefined, { windower, windowing }: FlowSettings): void {
  const { allowedLatenessMs, earlyEveryMs } = windowing;
  if (ttlMs === undefined || (allowedLatenessMs === undefined && earlyEveryMs === undefined)) return;
  const lengthMs = windower.kind === "session" ? windower.gapMs : windower.lengthMs;
  const leastMs = lengthMs + (allowedLatenessMs ?? 0);
  if (ttlMs >= leastMs) return;
  const corrected = allowedLatenessMs === undefined ? "--early" : "--allowed-lateness";
  throw new UsageError(
    `--result-ttl: rows would be gone after ${ttlMs} ms, and ${corrected} rewrites some of them as long as their window is kept; give at least the window's length and the lateness together: ${leastMs}ms`,
  );
}

function startOfStream(given: string): string {
  if (/^(earliest|latest|\d+-\d+)$/.test(given)) return given;
  throw new RangeError(
    `${JSON.stringify(given)} is no place in a stream: give earliest, latest or an entry's id such as 1763848800123-0`,
  );
}
