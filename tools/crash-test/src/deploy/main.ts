import { CommandLine, logOptions, oneOf, positive, runProgram, text } from "@millrace/cli";
import type { ProgramConfig } from "@millrace/cli";
import { mapRows, run } from "@millrace/dataflow";
import { RedisStreamSource } from "@millrace/redis-source";
import { RedisAssignment, RedisStore, RedisStreamResultSink } from "@millrace/redis-store";
import { Reaper } from "../aggregator/death.ts";
import { parseDeath } from "../aggregator/config.ts";
import type { Death } from "../aggregator/death.ts";
import { CHANNEL, HISTORY, LATEST } from "../names.ts";
import { rowOf } from "../tally.ts";
import type { ResultRow } from "../tally.ts";
import { ADDED, VERSIONS, flowOf } from "./versions.ts";
import type { Numbered, RecentRow, Version } from "./versions.ts";

const MOST_ROWS = 10_000_000;

interface DeployedConfig extends ProgramConfig {
  readonly url: string;
  readonly version: Version;
  /** Number of the deployment, from 1 on. */
  readonly deployment: number;
  readonly partitions: number;
  /** Of a worker that shares the partitions with others; `undefined`: it is on its own. */
  readonly leaseMs: number | undefined;
  readonly death: Death | undefined;
  /** Reads what is left, and closes the windows. */
  readonly closes: boolean;
}

/** Runs one version of the flow. */
await runProgram("deployed", deployedConfig, async ({ config, logger, signal }) => {
  const { url, version, deployment, partitions, leaseMs, death, closes } = config;
  const reaper = new Reaper(death);
  const failPoint = (place: Parameters<Reaper["at"]>[0]): void => {
    reaper.at(place);
  };
  // Stages commits of several pieces; by default only much larger ones are staged.
  const store = new RedisStore({ url }, { logger, failPoint, maxCallBytes: 1 });
  const rows = { maxLength: MOST_ROWS };
  const flow = flowOf(version, deployment, {
    source: new RedisStreamSource(
      { url },
      { stream: CHANNEL, partitions, partitionedBy: "os_timezone", blockMs: 1_000, group: "crash-test" },
    ),
    results: {
      [LATEST]: store.results({ row: rowOf }),
      [HISTORY]: mapRows(new RedisStreamResultSink<ResultRow>(store, rows), rowOf),
    },
    late: new RedisStreamResultSink(store, rows),
    numbered: new RedisStreamResultSink<Numbered>(store, rows),
    recent: new RedisStreamResultSink<RecentRow>(store, rows),
  });
  const closing = closes ? ({ exitWhenIdleMs: 500, idleFrom: "start", closeWindows: true } as const) : {};
  const sharing = leaseMs === undefined ? {} : { assignment: new RedisAssignment({ url }, { leaseMs }) };
  const dropState = version === "back" ? ADDED : [];
  // So many rows, or the whole state, are staged.
  const often = { commitEveryEvents: 500, commitEveryMs: 500 };
  try {
    await run(flow, { store, ...sharing, ...often, ...closing, dropState, logger, signal });
  } finally {
    await store.close();
  }
});

function deployedConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): DeployedConfig {
  const cli = new CommandLine("deployed", "A version of the flow of the crash test.");
  const url = cli.option({ flag: "--url <url>", description: "URL of Redis", parse: text }, "");
  const version = cli.option(
    { flag: "--flow-version <name>", description: VERSIONS.join(", "), parse: oneOf(VERSIONS) },
    "first",
  );
  const deployment = cli.option(
    { flag: "--deployment <number>", description: "number of the deployment", parse: positive },
    1,
  );
  const partitions = cli.option(
    { flag: "--partitions <number>", description: "partitions of the stream", parse: positive },
    1,
  );
  const death = cli.option({
    flag: "--die-at <place>",
    description: "fail point at which to be killed",
    parse: parseDeath,
  });
  const leaseMs = cli.option({
    flag: "--lease-ms <number>",
    description: "share the partitions, with this lease",
    parse: positive,
  });
  const closes = cli.toggle({ flag: "--close", description: "read what is left, close the windows and end" });
  const log = logOptions(cli);
  cli.parse(args, env);
  return {
    url: url(),
    version: version(),
    deployment: deployment(),
    partitions: partitions(),
    leaseMs: leaseMs(),
    death: death(),
    closes: closes(),
    log: log(),
  };
}
