import { CommandLine, integer, listOf, logOptions, oneOf, positive } from "@millrace/cli";
import type { ProgramConfig, Value } from "@millrace/cli";

/*
 * Options that several of the benchmarks have, so that they read alike everywhere.
 */

/** Which of its cases a benchmark runs. */
export function caseOption(
  cli: CommandLine,
  names: readonly string[],
  what: string,
): Value<readonly string[]> {
  return cli.option(
    {
      flag: "--case <names>",
      env: "BENCH_CASE",
      description: `${what}, separated by commas: ${names.join(", ")}`,
      parse: listOf(oneOf(names)),
      defaultText: "all",
    },
    names,
  );
}

export function roundsOption(cli: CommandLine): Value<number> {
  return cli.option(
    {
      flag: "--rounds <number>",
      env: "BENCH_ROUNDS",
      description: "how often everybody has a turn",
      parse: integer(1, 1_000),
    },
    5,
  );
}

export function scaleOption(cli: CommandLine): Value<number> {
  return cli.option(
    {
      flag: "--scale <factor>",
      env: "BENCH_SCALE",
      description: "how many events, in parts of the full number: below 1 for a quick look",
      parse: positive,
    },
    1,
  );
}

export function jsonOption(cli: CommandLine): Value<boolean> {
  return cli.toggle({
    flag: "--json",
    env: "BENCH_JSON",
    description: "print a JSON object for each case instead of a table",
  });
}

/** What a benchmark of rounds can be told. */
export interface RoundsConfig extends ProgramConfig {
  readonly cases: readonly string[];
  readonly rounds: number;
  readonly scale: number;
  readonly json: boolean;
}

/** What a benchmark says of itself. */
export interface RoundsHelp {
  readonly name: string;
  readonly description: string;
  /** Names of its cases, and what they are. */
  readonly cases: readonly string[];
  readonly what: string;
}

/**
 * The command line of a benchmark that has no options besides those that all have.
 *
 * @returns what throws UsageError and HelpShown
 */
export function roundsConfig({
  name,
  description,
  cases: names,
  what,
}: RoundsHelp): ConfigReader<RoundsConfig> {
  return (args, env) => {
    const cli = new CommandLine(name, description);
    const cases = caseOption(cli, names, what);
    const rounds = roundsOption(cli);
    const scale = scaleOption(cli);
    const json = jsonOption(cli);
    const log = logOptions(cli);
    cli.parse(args, env);
    return { cases: cases(), rounds: rounds(), scale: scale(), json: json(), log: log() };
  };
}

/** Reads a program's arguments and environment. */
export type ConfigReader<Config> = (
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
) => Config;
