import { CommandLine, integer, listOf, logOptions, oneOf, positive, runProgram } from "@millrace/cli";
import type { Parser, ProgramConfig, ProgramContext, Value } from "@millrace/cli";
import type { Logger } from "@millrace/dataflow";
import { Bed, machineLine } from "./lab/bed.ts";
import { runRounds } from "./rounds.ts";
import type { Figures, Turn } from "./rounds.ts";
import { median, pairedRatio, rounded } from "./statistics.ts";
import { markdownTable } from "./table.ts";
import type { Column } from "./table.ts";

/** What one benchmark is: its cases, what is measured of each, and what the table shows. */
export interface Benchmark {
  readonly name: string;
  readonly description: string;
  /** What `--case` selects, and the names that it takes. */
  readonly which: string;
  readonly names: readonly string[];
  /** Options beside `--case`, `--json` and those of the log. Without "rounds" each case is measured once. */
  readonly options: readonly ("rounds" | "scale" | "latency" | "minutes" | "rate")[];
  readonly columns: readonly Column[];
  /** Prepares what the names select. */
  readonly groups: (run: Run) => Promise<readonly Group[]>;
}

/** Cases that take turns. */
export interface Group {
  readonly title?: string;
  readonly cases: readonly Case[];
}

/** One participant, and what is printed of it. */
export interface Case {
  readonly case: string;
  readonly contender: string;
  /** Printed as they are. */
  readonly facts?: Readonly<Record<string, string | number>>;
  /** One turn; the median of the rounds is printed. */
  readonly measure: () => Promise<Figures>;
  /** Measured once, after the rounds. */
  readonly afterwards?: () => Promise<Figures>;
  readonly ratios?: readonly Ratio[];
  readonly targets?: readonly Target[];
  /** Whether a failure leaves this case out. @default it ends the run */
  readonly optional?: boolean;
}

/** A figure against that of another case of the group, round by round; the median is printed. */
export interface Ratio {
  readonly name: string;
  readonly of: string;
  readonly to: string;
}

/** What a ratio has to be. */
export interface Target {
  readonly ratio: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface ToldTarget extends Target {
  readonly met: boolean;
}

/** What is printed of a case. */
export interface Line {
  readonly case: string;
  readonly title?: string;
  readonly contender: string;
  readonly facts?: Case["facts"];
  readonly figures: Figures;
  readonly targets?: readonly ToldTarget[];
  /** Why there are no figures, in one line. */
  readonly notRun?: string;
}

/** The options of a benchmark. */
export interface Settings {
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

/** One run of a benchmark. */
export interface Run extends Settings {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Redis and publisher, started when they are first needed. */
  readonly bed: () => Promise<Bed>;
}

/** A benchmark was stopped before it had all its figures. */
export class BenchInterruptedError extends Error {
  static readonly code = "MILLRACE_BENCH_INTERRUPTED";
  readonly code: string = BenchInterruptedError.code;

  constructor() {
    super("The benchmark was interrupted. What is not printed yet was not measured: run it again.");
    this.name = "BenchInterruptedError";
  }
}

/** Runs a benchmark as the whole of this process, and prints each group when it is measured. */
export async function runBenchmark(benchmark: Benchmark, args: readonly string[]): Promise<void> {
  const name = `bench ${benchmark.name}`;
  await runProgram(name, settingsReader(name, benchmark), measureAll, args);

  async function measureAll({ config, logger, signal }: ProgramContext<Config>): Promise<void> {
    let bed: Promise<Bed> | undefined;
    const close = async (): Promise<void> => bed?.then((opened) => opened.close());
    signal.addEventListener("abort", () => void close().catch(() => undefined));
    try {
      const run: Run = { ...config, logger, signal, bed: () => (bed ??= Bed.open()) };
      const groups = await benchmark.groups(run);
      if (!config.json) process.stdout.write(`${await machineLine(await bed)}\n`);
      for (const group of groups) {
        const lines = await runGroup(group, run);
        process.stdout.write(config.json ? jsonOf(lines) : tableOf(benchmark, group, lines));
      }
    } catch (error) {
      // What was running fails as well when everything ends.
      throw signal.aborted ? new BenchInterruptedError() : error;
    } finally {
      await close();
    }
  }
}

/** Measures the cases of a group by turns. */
export async function runGroup(
  { title, cases }: Group,
  { rounds, signal, logger }: Pick<Run, "rounds" | "signal" | "logger">,
): Promise<readonly Line[]> {
  const reasons = new Map<string, string>();
  const turns = cases.map(({ case: name, contender, measure, optional }): Turn => {
    if (optional !== true) return { case: name, measure };
    const failed = (error: unknown): void => {
      const reason = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
      reasons.set(name, reason);
      logger.warn({ event: "notRun", case: name, reason }, `${contender} is not run: ${reason}`);
    };
    return { case: name, measure, failed };
  });
  const report = (name: string, place: string, figures: Figures): void => {
    logger.info({ event: "measured", case: name, ...figures }, `${name}, ${place}: ${textOf(figures)}`);
  };
  const found = await runRounds(turns, {
    rounds,
    signal,
    onFigures: (turn, round, figures) => {
      report(turn.case, `round ${round} of ${rounds}`, figures);
    },
  });
  const roundsOf = (name: string): readonly Figures[] =>
    found[cases.findIndex((each) => each.case === name)] ?? [];
  const lines: Line[] = [];
  for (const { case: name, contender, facts, afterwards, ratios = [], targets } of cases) {
    const about = { case: name, ...(title === undefined ? {} : { title }), contender };
    const notRun = reasons.get(name);
    if (notRun !== undefined) {
      lines.push({ ...about, figures: {}, notRun });
      continue;
    }
    signal.throwIfAborted();
    const after = (await afterwards?.()) ?? {};
    if (afterwards !== undefined) report(name, "after the rounds", after);
    const own = roundsOf(name);
    const figures = {
      rounds: own.length,
      ...mediansOf([...own]),
      ...Object.fromEntries(
        ratios.map((ratio) => [
          ratio.name,
          rounded(pairedRatio(column(own, ratio.of), column(roundsOf(ratio.to), ratio.of))),
        ]),
      ),
      ...mediansOf([after]),
    };
    lines.push({
      ...about,
      ...(facts && { facts }),
      figures,
      ...(targets && { targets: toldTargets(targets, figures) }),
    });
  }
  return lines;
}

function mediansOf(rounds: readonly Figures[]): Figures {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, rounded(median(column(rounds, name)))]));
}

function column(rounds: readonly Figures[], name: string): readonly number[] {
  return rounds.map((figures) => figures[name] ?? Number.NaN);
}

function toldTargets(targets: readonly Target[], figures: Figures): readonly ToldTarget[] {
  return targets.map((target) => {
    const { ratio, atMost = Infinity, atLeast = 0 } = target;
    const figure = figures[ratio] ?? Number.NaN;
    return { ...target, met: figure <= atMost && figure >= atLeast };
  });
}

function textOf(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, figure]) => `${name} ${rounded(figure)}`)
    .join(", ");
}

/** A JSON object for each case. */
function jsonOf(lines: readonly Line[]): string {
  return lines
    .map(({ facts, figures, ...others }) => `${JSON.stringify({ ...others, ...facts, ...figures })}\n`)
    .join("");
}

function tableOf({ columns }: Benchmark, { title }: Group, lines: readonly Line[]): string {
  return `${title === undefined ? "" : `\n### ${title}\n`}\n${markdownTable(columns, lines)}\n`;
}

type Config = Settings & ProgramConfig & { readonly json: boolean };

/** Reads the options that a benchmark has. */
function settingsReader(
  program: string,
  { description, which, names, options }: Benchmark,
): (args: readonly string[], env: Readonly<Record<string, string | undefined>>) => Config {
  return (args, env) => {
    const cli = new CommandLine(program, description);
    const number = (
      name: (typeof options)[number],
      value: string,
      text: string,
      parse: Parser<number>,
      fallback: number,
    ): Value<number> => {
      if (!options.includes(name)) return () => 1;
      const spec = {
        flag: `--${name} <${value}>`,
        env: `BENCH_${name.toUpperCase()}`,
        description: text,
        parse,
      };
      return cli.option(spec, fallback);
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
    const rounds = number("rounds", "number", "how many turns each case has", integer(1, 1_000), 5);
    const scale = number(
      "scale",
      "factor",
      "multiplies the number of events: below 1 for a quick look",
      positive,
      1,
    );
    const minutes = number(
      "minutes",
      "number",
      `how long each case takes, at most ${MOST_MINUTES}`,
      minutesOf,
      10,
    );
    const rate = number("rate", "events", "events per second", integer(1, 1_000_000), 50_000);
    const noLatency = options.includes("latency")
      ? cli.toggle({ flag: "--no-latency", env: "BENCH_NO_LATENCY", description: "leave latencies out" })
      : () => true;
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
