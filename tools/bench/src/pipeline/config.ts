import { CommandLine, logOptions } from "@millrace/cli";
import type { ProgramConfig } from "@millrace/cli";
import { caseOption, jsonOption, roundsOption, scaleOption } from "../options.ts";
import { GROUPS } from "./groups.ts";

/** What the benchmark of the pipeline can be told. */
export interface PipelineConfig extends ProgramConfig {
  readonly groups: readonly string[];
  readonly rounds: number;
  readonly scale: number;
  readonly latency: boolean;
  readonly json: boolean;
}

/** @throws UsageError, HelpShown */
export function pipelineConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): PipelineConfig {
  const cli = new CommandLine(
    "bench pipeline",
    "Measures publisher, Redis and aggregator together, beside the loops that people write by hand.",
  );
  const names = GROUPS.map(({ name }) => name);
  const groups = caseOption(cli, names, "which groups of cases");
  const rounds = roundsOption(cli);
  const scale = scaleOption(cli);
  const noLatency = cli.toggle({
    flag: "--no-latency",
    env: "BENCH_NO_LATENCY",
    description: "leave latencies out",
  });
  const json = jsonOption(cli);
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
