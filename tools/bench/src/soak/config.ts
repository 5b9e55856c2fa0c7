import { CommandLine, integer, logOptions, positive } from "@millrace/cli";
import type { Parser, ProgramConfig } from "@millrace/cli";
import { caseOption, jsonOption } from "../options.ts";
import { SOAKS } from "./soaks.ts";

/** What the soak can be told. */
export interface SoakConfig extends ProgramConfig {
  readonly cases: readonly string[];
  readonly minutes: number;
  readonly rate: number;
  readonly json: boolean;
}

/** Rows are looked for two hundred times, and Redis keeps them for a minute. */
const MOST_MINUTES = 120;

const minutesOf: Parser<number> = (given) => {
  const minutes = positive(given);
  if (minutes <= MOST_MINUTES) return minutes;
  throw new RangeError(`"${given}" is more than ${MOST_MINUTES}`);
};

/** @throws UsageError, HelpShown */
export function soakConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): SoakConfig {
  const cli = new CommandLine(
    "bench soak",
    "Runs publisher and aggregator for a long time, and tells whether memory or cost grows.",
  );
  const names = SOAKS.map(({ name }) => name);
  const cases = caseOption(cli, names, "which");
  const minutes = cli.option(
    {
      flag: "--minutes <number>",
      env: "BENCH_MINUTES",
      description: "how long each takes, at most 120",
      parse: minutesOf,
    },
    10,
  );
  const rate = cli.option(
    {
      flag: "--rate <events>",
      env: "BENCH_RATE",
      description: "events per second",
      parse: integer(1, 1_000_000),
    },
    50_000,
  );
  const json = jsonOption(cli);
  const log = logOptions(cli);
  cli.parse(args, env);
  return { cases: cases(), minutes: minutes(), rate: rate(), json: json(), log: log() };
}
