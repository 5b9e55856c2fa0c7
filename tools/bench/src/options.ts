import { CommandLine, integer, listOf, logOptions, oneOf, positive } from "@millrace/cli";
import type { Parser, ProgramConfig, Value } from "@millrace/cli";

/** The options of a benchmark. */
export interface Settings {
  /** What `--case` selects. */
  readonly names: readonly string[];
  readonly rounds: number;
  /** Multiplies the number of events: below 1 for a quick look. */
  readonly scale: number;
  /** Whether latencies are measured as well. */
  readonly latency: boolean;
  readonly minutes: number;
  /** Events per second. */
  readonly rate: number;
}

export interface Config extends Settings, ProgramConfig {
  /** Whether a JSON object is printed for each case instead of a table. */
  readonly json: boolean;
}

/** Options that not all benchmarks have. */
export type OptionName = "rounds" | "scale" | "latency" | "minutes" | "rate";

/** What the command line of a benchmark is made of. */
export interface OptionsSpec {
  readonly description: string;
  /** What `--case` selects, and the names that it takes. */
  readonly which: string;
  readonly names: readonly string[];
  readonly options: readonly OptionName[];
}

/** Reads the options that a benchmark has. */
export function optionsReader(
  program: string,
  { description, which, names, options }: OptionsSpec,
): (args: readonly string[], env: Readonly<Record<string, string | undefined>>) => Config {
  return (args, env) => {
    const cli = new CommandLine(program, description);
    const number = (
      name: OptionName,
      [value, text]: readonly [value: string, description: string],
      parse: Parser<number>,
      fallback: number,
    ): Value<number> => {
      const spec = {
        flag: `--${name} <${value}>`,
        env: `BENCH_${name.toUpperCase()}`,
        description: text,
        parse,
      };
      return options.includes(name) ? cli.option(spec, fallback) : () => 1;
    };
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
    const rounds = number("rounds", ["number", "how many turns each case has"], integer(1, 1_000), 5);
    const scale = number("scale", ["factor", "multiplies the events: below 1 for a quick look"], positive, 1);
    const minutes = number("minutes", ["number", "how long each takes, at most 120"], minutesOf, 10);
    const rate = number("rate", ["events", "events per second"], integer(1, 1_000_000), 50_000);
    const noLatency = options.includes("latency")
      ? cli.toggle({ flag: "--no-latency", env: "BENCH_NO_LATENCY", description: "leave latencies out" })
      : () => false;
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
      latency: !noLatency(),
      minutes: minutes(),
      rate: rate(),
      json: json(),
      log: log(),
    };
  };
}

/** A soak samples two hundred times, and Redis keeps rows for a minute: no row may be gone before the next sample. */
const MOST_MINUTES = 120;

function minutesOf(given: string): number {
  const minutes = positive(given);
  if (minutes <= MOST_MINUTES) return minutes;
  throw new RangeError(`"${given}" is more than ${MOST_MINUTES}`);
}
