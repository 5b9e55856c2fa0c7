import { integer, listOf, oneOf, positive } from "@millrace/cli";
import type { CommandLine, Value } from "@millrace/cli";

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
