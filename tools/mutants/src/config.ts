import { CommandLine, listOf, logOptions, oneOf, positive } from "@millrace/cli";
import type { ProgramConfig } from "@millrace/cli";
import { MUTANTS } from "./mutants.ts";

/** Configuration of a run of mutants. */
export interface MutantsConfig extends ProgramConfig {
  /** Ids of the mutants to run; `undefined`: all. */
  readonly only: readonly string[] | undefined;
  /** How many run at the same time. */
  readonly jobs: number;
}

/** @throws UsageError, HelpShown */
export function mutantsConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): MutantsConfig {
  const cli = new CommandLine("mutants", "Inserts small faults into the sources that a test must detect.");
  const only = cli.option({
    flag: "--only <ids>",
    env: "MUTANTS_ONLY",
    description: "mutants to run, separated by commas",
    parse: listOf(oneOf(MUTANTS.map(({ id }) => id))),
    defaultText: "all",
  });
  const jobs = cli.option(
    {
      flag: "--jobs <number>",
      env: "MUTANTS_JOBS",
      description: "how many run at the same time",
      parse: positive,
    },
    2,
  );
  const log = logOptions(cli);
  cli.parse(args, env);
  return { only: only(), jobs: jobs(), log: log() };
}
