import { CommandLine, listOf, logOptions, oneOf, positive } from "@millrace/cli";
import type { ProgramConfig } from "@millrace/cli";
import { MUTANTS } from "./mutants.ts";

/** What the run of mutants can be told. */
export interface MutantsConfig extends ProgramConfig {
  /** Ids of the mutants to try; `undefined`: all. */
  readonly only: readonly string[] | undefined;
  /** How many are tried at a time. */
  readonly jobs: number;
}

/** @throws UsageError, HelpShown */
export function mutantsConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): MutantsConfig {
  const cli = new CommandLine("mutants", "Changes the sources in small ways that a test must notice.");
  const only = cli.option({
    flag: "--only <ids>",
    env: "MUTANTS_ONLY",
    description: "mutants to try, separated by commas",
    parse: listOf(oneOf(MUTANTS.map(({ id }) => id))),
    defaultText: "all",
  });
  const jobs = cli.option(
    {
      flag: "--jobs <number>",
      env: "MUTANTS_JOBS",
      description: "how many are tried at a time",
      parse: positive,
    },
    2,
  );
  const log = logOptions(cli);
  cli.parse(args, env);
  return { only: only(), jobs: jobs(), log: log() };
}
