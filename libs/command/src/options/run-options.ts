import {
  CommandLine,
  UsageError,
  drainOption,
  inputOptions,
  kafkaOptions,
  logOptions,
  oneOf,
  redisOptions,
  withoutLog,
  withoutStream,
} from "@millrace/cli";
import type { InputSettings, KafkaSettings, ProgramConfig, Value } from "@millrace/cli";
import type { IdleFrom } from "@millrace/dataflow";
import type { EntryForm, RedisConnectionOptions } from "@millrace/redis-source";
import { formatDuration, parseDuration, toMs, tumbling } from "@millrace/windowing/options";
import type { FlowProgram } from "../flow-program.ts";
import { findEventsFile } from "../publish/events-file.ts";
import { entryOptions } from "./entry-options.ts";
import { httpOptions } from "./http-options.ts";
import type { ObserveSettings } from "./http-options.ts";
import { flowOptions } from "./flow-options.ts";
import type { FlowSettings } from "./flow-options.ts";
import { shareOptions } from "./share-options.ts";
import type { ShareSettings } from "./share-options.ts";
import { placeIn, requirePlace } from "./start-place.ts";
import {
  dropStateOption,
  groupOption,
  maxKeysOption,
  resultsAsOption,
  storeTimeoutOption,
  taskOptions,
} from "./task-options.ts";

const STORES = ["none", "redis"] as const;
const IDLE_FROM: readonly IdleFrom[] = ["first-event", "start"];
const SINKS = ["stdout", "redis"] as const;
const NO_EVENTS_KEPT =
  "Pub/Sub keeps no events, so a task reads what is published while it runs (streams and Kafka keep them: --transport)";
const SEVEN_DAYS_MS = 604_800_000;
/** From 1970 to 2243. */
const WHOLE_FILE = tumbling("100000d");

/** How a flow runs. */
export interface RunConfig extends ProgramConfig {
  readonly flow: FlowSettings;
  readonly redis: RedisConnectionOptions;
  /** Where the topic is; `undefined`: events come from Redis or a file. */
  readonly kafka: KafkaSettings | undefined;
  /** Absolute path of a file to read in place of Redis, or `-` for standard input. */
  readonly file: string | undefined;
  readonly input: InputSettings;
  /** Names of the partitions to run; `undefined`: all. */
  readonly tasks: readonly string[] | undefined;
  /** `undefined`: the worker is on its own. */
  readonly share: ShareSettings | undefined;
  /** How the entries of a stream carry events; `undefined`: as the publisher writes them. */
  readonly entries: EntryForm | undefined;
  readonly start: string;
  /** `undefined`: the flow's id. */
  readonly group: string | undefined;
  readonly trim: boolean;
  readonly store: (typeof STORES)[number];
  /** `Infinity`: as long as it takes. */
  readonly storeTimeoutMs: number;
  /** Ids of steps whose state may be deleted. */
  readonly dropState: readonly string[];
  readonly sink: (typeof SINKS)[number];
  /** `Infinity`: results stay. */
  readonly resultTtlMs: number;
  /** Rows in Redis are those of a version, beside others; `undefined`: of none. */
  readonly resultsAs: string | undefined;
  /** `Infinity`: never. */
  readonly exitWhenIdleMs: number;
  readonly idleFrom: IdleFrom;
  readonly closeWindows: boolean;
  /** Keys that state is kept for; `undefined`: by the limit of the heap. */
  readonly maxKeys: number | undefined;
  /** How long finishing may take after a request to stop, ms. */
  readonly drainTimeoutMs: number;
  readonly observe: ObserveSettings;
}

/**
 * @param args after the command's name
 * @throws UsageError, HelpShown
 */
export function runConfig(
  program: FlowProgram,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): RunConfig {
  const cli = new CommandLine(program.usageOf("run"), program.description, program.commands);
  const config = runOptions(program, cli, env);
  cli.parse(args, env);
  return config();
}

/**
 * Declares all options of a run.
 *
 * The value throws a UsageError for options that contradict each other, or that have no effect beside the others.
 */
export function runOptions(
  program: FlowProgram,
  cli: CommandLine,
  env: Readonly<Record<string, string | undefined>>,
): Value<RunConfig> {
  const flow = flowOptions(cli, (own) => program.choose(own, env));
  const file = cli.option({
    flag: "--file <path>",
    env: "MILLRACE_FILE",
    description: "read the lines of a file in place of Redis, or of standard input: -",
    parse: (given) => findEventsFile(given, env),
    defaultText: "read from Redis",
  });
  const idle = cli.option(
    {
      flag: "--exit-when-idle <duration>",
      env: "MILLRACE_EXIT_WHEN_IDLE",
      description:
        "end after this time without events; --idle-from says when it begins. If state is stored, open windows show their current rows and stay open",
      parse: (given) => parseDuration(given),
      defaultText: "never",
    },
    Infinity,
  );
  const idleFrom = cli.option(
    {
      flag: "--idle-from <what>",
      env: "MILLRACE_IDLE_FROM",
      description:
        "with --exit-when-idle: from the first event (or a resume), so that publishers may begin later, or from the start, so that an empty input ends it too",
      parse: oneOf(IDLE_FROM),
    },
    "first-event",
  );
  const closeWindows = cli.toggle({
    flag: "--close-windows",
    env: "MILLRACE_CLOSE_WINDOWS",
    description: "with --exit-when-idle: close all windows, also if state is stored",
  });
  // Kubernetes ends a container 30 s after it has asked it to stop.
  const drain = drainOption(cli, "25s");
  const sink = cli.option(
    {
      flag: "--sink <kind>",
      env: "MILLRACE_SINK",
      description: "where rows go: stdout, or redis (in the same atomic step as the commit of their input)",
      parse: oneOf(SINKS),
    },
    "stdout",
  );
  const resultTtlMs = cli.option({
    flag: "--result-ttl <duration>",
    env: "MILLRACE_RESULT_TTL",
    description:
      "with --sink=redis: how long a window's rows stay after the last of them, or never (removed); at least the window's length and --allowed-lateness together where rows are rewritten",
    parse: (given) => (given === "never" ? Infinity : parseDuration(given)),
    defaultText: "7d, or as long as a longer window",
  });
  const resultsAs = resultsAsOption(cli);
  const store = cli.option({
    flag: "--store <kind>",
    env: "MILLRACE_STORE",
    description: "where state is kept, so that the next run continues: redis, or none",
    parse: oneOf(STORES),
    defaultText: "redis for streams, for Kafka and for --sink=redis, else none",
  });
  const storeTimeoutMs = storeTimeoutOption(cli);
  const dropState = dropStateOption(cli);
  const maxKeys = maxKeysOption(cli);
  const input = inputOptions(cli, program.transport);
  const tasks = taskOptions(cli, input);
  const share = shareOptions(cli, env);
  const entries = entryOptions(cli, input);
  const start = cli.option(
    {
      flag: "--start <where>",
      env: "MILLRACE_START",
      description:
        "streams, kafka: where a task begins that has never committed: earliest, latest, at a time such as 2026-11-28T10:00:00Z (of a stream's entries that of their ids, when they were added; of Kafka's records their own), after an entry's id (streams), or at an offset (kafka, with one of --tasks)",
      parse: placeIn("earliest", "latest"),
    },
    "earliest",
  );
  const group = groupOption(cli);
  const trim = cli.toggle({
    flag: "--trim",
    env: "MILLRACE_TRIM",
    description: "streams: delete entries that this flow has committed and every other group has passed",
  });
  const redis = redisOptions(cli);
  const connectTimeoutMs = (): number | undefined => redis().connectTimeoutMs;
  const kafka = kafkaOptions(cli, { transport: input, connectTimeoutMs });
  const observe = httpOptions(cli);
  const log = logOptions(cli);
  return () => {
    // Rows in Redis appear with the commit of the state that they come from.
    const kept = readsLog(file(), input()) || sink() === "redis" ? "redis" : "none";
    if (sink() === "redis" && store() === "none") {
      throw new UsageError(
        "--store: with --sink=redis, rows are committed together with the state; leave --store=none out, or use --sink=stdout",
      );
    }
    for (const value of [start, group, trim]) {
      if (file() !== undefined)
        cli.withoutEffect(value, "it applies to streams only, and events come from a file (--file)");
      else if (value !== start) (value === trim ? withoutStream : withoutLog)(cli, value, input());
      else if (!readsLog(undefined, input())) cli.withoutEffect(start, NO_EVENTS_KEPT);
    }
    if (sink() !== "redis") {
      for (const value of [resultTtlMs, resultsAs])
        cli.withoutEffect(value, "it applies to rows in Redis only, and --sink is stdout");
    }
    if (idle() === Infinity) {
      cli.withoutEffect(closeWindows, "it needs --exit-when-idle");
      cli.withoutEffect(idleFrom, "it needs --exit-when-idle");
    }
    if ((store() ?? kept) === "none") {
      cli.withoutEffect(storeTimeoutMs, "no state is kept, so there is no store");
      cli.withoutEffect(dropState, "no state is kept, so there is no store");
    }
    if (sink() === "redis" && resultTtlMs() === Infinity) {
      cli.note("rows in Redis are never removed (--result-ttl=never): check that Redis has enough memory");
    }
    const { windower, clock, given } = flow();
    const isOneWindow =
      program.fileIsOneWindow === true &&
      file() !== undefined &&
      clock === undefined &&
      given.windower.length === 0;
    if (file() === undefined) requirePlace("--start", start(), input().transport, tasks());
    const partitions = input().transport === "kafka" ? Infinity : input().names.length;
    requireFileForEach(flow().lateFile, file() === undefined ? partitions : 1);
    return {
      flow: { ...flow(), windower: isOneWindow ? WHOLE_FILE : windower },
      file: file(),
      exitWhenIdleMs: idle(),
      idleFrom: idleFrom(),
      closeWindows: closeWindows(),
      maxKeys: maxKeys(),
      drainTimeoutMs: drain(),
      sink: sink(),
      resultTtlMs: resultTtlOf(resultTtlMs(), flow(), idle() !== Infinity && !closeWindows()),
      resultsAs: resultsAs(),
      store: store() ?? kept,
      storeTimeoutMs: storeTimeoutMs(),
      dropState: dropState().flat(),
      input: input(),
      tasks: tasks(),
      share: share({
        file: file(),
        transport: input().transport,
        store: store() ?? kept,
        tasks: tasks(),
        exitWhenIdleMs: idle(),
        lateFile: flow().lateFile,
      }),
      entries: entries(),
      start: start(),
      group: group(),
      trim: trim(),
      redis: redis(),
      kafka: kafka(),
      observe: observe(),
      log: log(),
    };
  };
}

/** Whether the input is a log that keeps events, so that a run can continue where another one has ended. */
export function readsLog(file: string | undefined, { transport }: Pick<InputSettings, "transport">): boolean {
  return file === undefined && (transport === "stream" || transport === "kafka");
}

/**
 * A window whose rows had gone would come back in part with the next row that corrects it.
 *
 * @param idleEnds whether a run emits early results of open windows when it ends, and the next one continues with them
 * @throws UsageError
 */
function resultTtlOf(
  given: number | undefined,
  { windower, windowing }: FlowSettings,
  idleEnds: boolean,
): number {
  const { allowedLateness, earlyEvery } = windowing;
  const lengthMs = windower.kind === "session" ? windower.gapMs : windower.lengthMs;
  const leastMs = lengthMs + toMs(allowedLateness ?? 0);
  if (given === undefined) return Math.max(SEVEN_DAYS_MS, leastMs);
  const rewriting = [
    ...(allowedLateness === undefined ? [] : ["--allowed-lateness"]),
    ...(earlyEvery === undefined ? [] : ["--early"]),
    ...(idleEnds ? ["--exit-when-idle without --close-windows"] : []),
  ];
  const [corrected] = rewriting;
  if (given >= leastMs || corrected === undefined) return given;
  throw new UsageError(
    `--result-ttl: rows would expire after ${formatDuration(given)}, but ${corrected} rewrites them as long as their window is kept; give at least the window's length plus the lateness: ${formatDuration(leastMs)}`,
  );
}

/** Each task truncates its file to what it committed, also a task of another worker. @throws UsageError */
function requireFileForEach(lateFile: string | undefined, partitions: number): void {
  if (lateFile === undefined || partitions === 1 || lateFile.includes("{part}")) return;
  throw new UsageError(
    `--late: ${partitions === Infinity ? "all" : partitions} partitions would write ${lateFile}; put {part} into the name, so that each has a file of its own`,
  );
}
