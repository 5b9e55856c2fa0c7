import { CommandLine, integer, listOf, logOptions, oneOf, positive } from "@millrace/cli";
import type { Parser, ProgramConfig, Value } from "@millrace/cli";
import type { Benchmark } from "./benchmark.ts";

/** The options of a benchmark. */
export interface Settings {
  readonly rounds: number;
  /** Multiplies the number of events: below 1 for a quick look. */
  readonly scale: number;
  readonly minutes: number;
  /** Events per second. */
  readonly rate: number;
}

export interface Config extends Settings, ProgramConfig {
  /** What `--case` selects. */
  readonly names: readonly string[];
  /** Whether a JSON object is printed for each case instead of a table. */
  readonly json: boolean;
}

/** Options that not all benchmarks have. */
export type OptionName = keyof Settings;

/** A soak samples two hundred times, and Redis keeps rows for a minute: no row may be gone before the next sample. */
const MOST_MINUTES = 120;

const NUMBERS: Readonly<
  Record<OptionName, readonly [value: string, description: string, parse: Parser<number>, fallback: number]>
> = {
  rounds: ["number", "how many turns each case has", integer(1, 1_000), 5],
  scale: ["factor", "multiplies the events: below 1 for a quick look", positive, 1],
  minutes: ["number", `how long each takes, at most ${MOST_MINUTES}`, minutesOf, 10],
  rate: ["events", "events per second", integer(1, 1_000_000), 50_000],
};

/** Reads the options that a benchmark has; `names` are what `--case` takes. */
export function optionsReader(
  program: string,
  { description, which, options }: Pick<Benchmark, "description" | "which" | "options">,
  names: readonly string[],
): (args: readonly string[], env: Readonly<Record<string, string | undefined>>) => Config {
  return (args, env) => {
    const cli = new CommandLine(program, description);
    const cases = cli.option(
      {
        flag: "--case <names>",
        env: "BENCH_CASE",
        description: `${which}, separated by commas: ${names.join(", ")}`,
        parse: listOf(oneOf(names)),
        defaultText: "all",
      },
      names,
    );
    const number = (name: OptionName): Value<number> => {
      const [value, text, parse, fallback] = NUMBERS[name];
      const spec = {
        flag: `--${name} <${value}>`,
        env: `BENCH_${name.toUpperCase()}`,
        description: text,
        parse,
      };
      return options.includes(name) ? cli.option(spec, fallback) : () => 1;
    };
    const rounds = number("rounds");
    const scale = number("scale");
    const minutes = number("minutes");
    const rate = number("rate");
    const json = cli.toggle({
      flag: "--json",
      env: "BENCH_JSON",
      description: "print a JSON object for each case instead of a table",
    });
    const log = logOptions(cli);
    cli.parse(args, env);
    return {
      names: cases(),
      rounds: rounds(),
      scale: scale(),
      minutes: minutes(),
      rate: rate(),
      json: json(),
      log: log(),
    };
  };
}

function minutesOf(given: string): number {
  const minutes = positive(given);
  if (minutes <= MOST_MINUTES) return minutes;
  throw new RangeError(`"${given}" is more than ${MOST_MINUTES}`);
}
