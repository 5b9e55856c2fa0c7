import { CommandLine, boolean, logOptions, notNegative, oneOf, positive, text } from "@millrace/cli";
import type { Parser, ProgramConfig } from "@millrace/cli";
import { GUARDS } from "../guard.ts";
import type { Guard } from "../guard.ts";
import { DEATHS } from "./death.ts";
import type { Death } from "./death.ts";

/** `event`: the time in the event; `publish`: when it was published. */
export type ClockKind = "event" | "publish";

/** What an aggregator under test can be told. */
export interface AggregatorSettings extends ProgramConfig {
  readonly url: string;
  readonly transport: "stream" | "pubsub";
  readonly clock: ClockKind;
  readonly windowMs: number;
  readonly waitMs: number;
  readonly allowedLatenessMs: number;
  readonly pageSize: number;
  readonly commitEveryEvents: number;
  readonly commitEveryMs: number;
  /** `Infinity`: never. */
  readonly exitWhenIdleMs: number;
  readonly closeWindows: boolean;
  readonly death: Death | undefined;
  /** The guard that is switched off. */
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
  const url = option("url", text, "", "where Redis is");
  const transport = option("transport", oneOf(["stream", "pubsub"] as const), "stream", "how events come");
  const clock = option("clock", oneOf(["event", "publish"] as const), "event", "what an event's time is");
  const windowMs = option("window-ms", positive, 1_000, "length of a window");
  const waitMs = option("wait-ms", notNegative, 0, "how far the watermark stays behind");
  const allowedLatenessMs = option("lateness-ms", notNegative, 0, "how long a closed window is kept");
  const pageSize = option("page-size", positive, 2_000, "rows of a closing window in one commit");
  const commitEveryEvents = option("commit-every-events", positive, 10_000, "events between commits");
  const commitEveryMs = option("commit-every-ms", positive, 1_000, "time between commits");
  const exitWhenIdleMs = option("exit-when-idle-ms", positive, Infinity, "end after such a silence");
  const closeWindows = option("close-windows", boolean, false, "close all windows at such an end");
  const death = option<Death | undefined>("die-at", parseDeath, undefined, "place to be killed at");
  const without = option<Guard | undefined>("without", oneOf(GUARDS), undefined, "guard to do without");
  const log = logOptions(cli);
  cli.parse(args, env);
  return {
    url: url(),
    transport: transport(),
    clock: clock(),
    windowMs: windowMs(),
    waitMs: waitMs(),
    allowedLatenessMs: allowedLatenessMs(),
    pageSize: pageSize(),
    commitEveryEvents: commitEveryEvents(),
    commitEveryMs: commitEveryMs(),
    exitWhenIdleMs: exitWhenIdleMs(),
    closeWindows: closeWindows(),
    death: death(),
    without: without(),
    log: log(),
  };
}

/** `PLACE` or `PLACE:PASSES`. @throws RangeError */
function parseDeath(given: string): Death {
  const [place = "", passes = "0"] = given.split(":");
  return { place: oneOf(DEATHS)(place), passes: notNegative(passes) };
}
