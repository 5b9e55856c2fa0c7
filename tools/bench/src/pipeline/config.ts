import { CommandLine, integer, listOf, logOptions, oneOf, positive } from "@millrace/cli";
import type { ProgramConfig } from "@millrace/cli";
import { GROUPS } from "./groups.ts";

/** What the benchmark of the pipeline can be told. */
export interface PipelineConfig extends ProgramConfig {
  readonly groups: readonly string[];
  readonly rounds: number;
  readonly scale: number;
  readonly latency: boolean;
  readonly json: boolean;
}

const NAMES = GROUPS.map(({ name }) => name);

/** @throws UsageError, HelpShown */
export function pipelineConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): PipelineConfig {
  const cli = new CommandLine(
    "bench pipeline",
    "Measures publisher, Redis and aggregator together, beside the loops that people write by hand.",
  );
  const groups = cli.option(
    {
      flag: "--case <names>",
      env: "BENCH_CASE",
      description: `which groups of cases, separated by commas: ${NAMES.join(", ")}`,
      parse: listOf(oneOf(NAMES)),
      defaultText: "all",
    },
    NAMES,
  );
  const rounds = cli.option(
    {
      flag: "--rounds <number>",
      env: "BENCH_ROUNDS",
      description: "how often everybody has a turn",
      parse: integer(1, 1_000),
    },
    5,
  );
  const scale = cli.option(
    {
      flag: "--scale <factor>",
      env: "BENCH_SCALE",
      description: "how many events, in parts of the full number: below 1 for a quick look",
      parse: positive,
    },
    1,
  );
  const noLatency = cli.toggle({
    flag: "--no-latency",
    env: "BENCH_NO_LATENCY",
    description: "leave latencies out",
  });
  const json = cli.toggle({
    flag: "--json",
    env: "BENCH_JSON",
    description: "print a JSON object for each case instead of a table",
  });
  const log = logOptions(cli);
  cli.parse(args, env);
  return {
    groups: groups(),
    rounds: rounds(),
    scale: scale(),
    latency: !noLatency(),
    json: json(),
    log: log(),
  };
}
