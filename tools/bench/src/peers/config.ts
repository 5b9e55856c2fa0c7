import { CommandLine, logOptions } from "@millrace/cli";
import type { ProgramConfig } from "@millrace/cli";
import { caseOption, jsonOption, roundsOption, scaleOption } from "../options.ts";
import { PEERS } from "./peers.ts";

/** What the comparison with peers can be told. */
export interface PeersConfig extends ProgramConfig {
  readonly cases: readonly string[];
  readonly rounds: number;
  readonly scale: number;
  readonly json: boolean;
}

/** @throws UsageError, HelpShown */
export function peersConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): PeersConfig {
  const cli = new CommandLine(
    "bench peers",
    "Compares the aggregator with what one would pick instead, over the same events from the same Redis.",
  );
  const names = PEERS.map(({ case: name }) => name);
  const cases = caseOption(cli, names, "which peers, beside Millrace");
  const rounds = roundsOption(cli);
  const scale = scaleOption(cli);
  const json = jsonOption(cli);
  const log = logOptions(cli);
  cli.parse(args, env);
  return { cases: cases(), rounds: rounds(), scale: scale(), json: json(), log: log() };
}
