import { CommandLine, boolean, logOptions, notNegative, oneOf, positive, text } from "@millrace/cli";
import type { Parser, ProgramConfig } from "@millrace/cli";
import { GUARDS } from "../guard.ts";
import type { Guard } from "../guard.ts";
import { CHANNEL } from "../names.ts";
import { DEATHS } from "./death.ts";
import type { Death } from "./death.ts";

/** `event`: the time in the event; `publish`: when it was published. */
export type ClockKind = "event" | "publish";

/** Configuration of an aggregator under test. */
export interface AggregatorSettings extends ProgramConfig {
  readonly url: string;
  readonly transport: "stream" | "pubsub" | "kafka";
  /** Brokers of Kafka, separated by commas. */
  readonly brokers: string;
  readonly topic: string;
  readonly clock: ClockKind;
  readonly windowMs: number;
  readonly waitMs: number;
  readonly allowedLatenessMs: number;
  readonly pageSize: number;
  readonly commitEveryEvents: number;
  readonly commitEveryMs: number;
  /** `Infinity`: never. */
  readonly exitWhenIdleMs: number;
  /** Whether an idle end closes the open windows. */
  readonly closeWindows: boolean;
  /** Whether rows are printed too. */
  readonly print: boolean;
  readonly partitions: number;
  /** Of a worker that shares the partitions with others, over Kafka by a group; `undefined`: it is on its own. */
  readonly leaseMs: number | undefined;
  readonly death: Death | undefined;
  /** The guard to switch off. */
  readonly without: Guard | undefined;
}

/** @throws UsageError */
export function aggregatorSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): AggregatorSettings {
  const cli = new CommandLine("crash-aggregator", "The aggregator of the crash test.");
  const option = <T>(name: string, parse: Parser<T>, fallback: T, description: string): (() => T) =>
    cli.option(
      {
        flag: `--${name} <value>`,
        env: `CRASH_${name.toUpperCase().replaceAll("-", "_")}`,
        description,
        parse,
      },
      fallback,
    );
  const url = option("url", text, "", "URL of Redis");
  const transport = option(
    "transport",
    oneOf(["stream", "pubsub", "kafka"] as const),
    "stream",
    "transport of events",
  );
  const brokers = option("brokers", text, "", "brokers of Kafka");
  const topic = option("topic", text, CHANNEL, "topic of Kafka");
  const clock = option("clock", oneOf(["event", "publish"] as const), "event", "timestamp of an event");
  const windowMs = option("window-ms", positive, 1_000, "length of a window");
  const waitMs = option("wait-ms", notNegative, 0, "how far the watermark stays below the latest timestamp");
  const allowedLatenessMs = option("lateness-ms", notNegative, 0, "how long a closed window is kept");
  const pageSize = option("page-size", positive, 2_000, "rows of a closing window in one commit");
  const commitEveryEvents = option("commit-every-events", positive, 10_000, "events between commits");
  const commitEveryMs = option("commit-every-ms", positive, 1_000, "time between commits");
  const exitWhenIdleMs = option(
    "exit-when-idle-ms",
    positive,
    Infinity,
    "end after this time without events",
  );
  const closeWindows = option("close-windows", boolean, false, "close open windows when idle");
  const print = option("print", boolean, false, "print the rows, too");
  const partitions = option("partitions", positive, 1, "partitions of the stream");
  const leaseMs = option<number | undefined>(
    "lease-ms",
    positive,
    undefined,
    "share the partitions, with this lease",
  );
  const death = option<Death | undefined>(
    "die-at",
    parseDeath,
    undefined,
    "fail point at which to be killed",
  );
  const without = option<Guard | undefined>("without", oneOf(GUARDS), undefined, "guard to switch off");
  const log = logOptions(cli);
  cli.parse(args, env);
  return {
    url: url(),
    transport: transport(),
    brokers: brokers(),
    topic: topic(),
    clock: clock(),
    windowMs: windowMs(),
    waitMs: waitMs(),
    allowedLatenessMs: allowedLatenessMs(),
    pageSize: pageSize(),
    commitEveryEvents: commitEveryEvents(),
    commitEveryMs: commitEveryMs(),
    exitWhenIdleMs: exitWhenIdleMs(),
    closeWindows: closeWindows(),
    print: print(),
    partitions: partitions(),
    leaseMs: leaseMs(),
    death: death(),
    without: without(),
    log: log(),
  };
}

/** `PLACE` or `PLACE:PASSES`. @throws RangeError */
export function parseDeath(given: string): Death {
  const [place = "", passes = "0"] = given.split(":");
  return { place: oneOf(DEATHS)(place), passes: notNegative(passes) };
}
