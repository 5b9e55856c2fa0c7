import { CommandLine, integer, listOf, logOptions, oneOf, positive, runProgram } from "@millrace/cli";
import type { Parser, ProgramConfig, ProgramContext, Value } from "@millrace/cli";
import type { Logger } from "@millrace/dataflow";
import { Bed, machineLine } from "./lab/bed.ts";
import { runRounds } from "./rounds.ts";
import type { Figures, Turn } from "./rounds.ts";
import { median, pairedRatio, rounded } from "./statistics.ts";
import { markdownTable } from "./table.ts";
import type { Column, Facts, Line, Target, ToldTarget } from "./table.ts";

/** What one benchmark is: its cases, what is measured of each, and what the table shows. */
export interface Benchmark {
  readonly name: string;
  readonly description: string;
  /** What `--case` selects. */
  readonly which: string;
  /** Options beside `--case`, `--json` and those of the log. Without "rounds" each case is measured once. */
  readonly options: readonly ("rounds" | "scale" | "latency" | "minutes" | "rate")[];
  readonly groups: readonly Group[];
  readonly columns: readonly Column[];
}

/** Cases that take turns. */
export interface Group {
  /** What `--case` selects it by. `@default each case by its own name` */
  readonly name?: string;
  readonly title?: string;
  readonly cases: readonly Case[];
}

/** One participant, and what is printed of it. */
export interface Case {
  readonly case: string;
  readonly contender: string;
  /** Prepares the case, before the rounds; returns what is printed as it is. */
  readonly prepare?: (run: Run) => Promise<Facts> | Facts;
  /** One turn; the median of the rounds is printed. */
  readonly measure: (run: Run) => Promise<Figures>;
  /** Measured once, after the rounds. */
  readonly afterwards?: (run: Run) => Promise<Figures>;
  readonly ratios?: readonly Ratio[];
  readonly targets?: readonly Target[];
  /** The case that others are compared with runs always; a failure of one that is "optional" leaves only that out. */
  readonly role?: "reference" | "optional";
}

/** A figure against that of another case of the group, round by round; the median is printed. */
export interface Ratio {
  readonly name: string;
  readonly of: string;
  readonly to: string;
}

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
      let lead = async (): Promise<string> => `${await machineLine(await bed)}\n`;
      for (const group of benchmark.groups.map((each) => selected(each, config.names))) {
        if (group.cases.length === 0) continue;
        const lines = await runGroup(group, run);
        process.stdout.write(config.json ? jsonOf(lines) : (await lead()) + tableOf(benchmark, group, lines));
        lead = () => Promise.resolve("");
      }
    } catch (error) {
      // What was running fails as well when everything ends.
      throw signal.aborted ? new BenchInterruptedError() : error;
    } finally {
      await close();
    }
  }
}

/** The names that `--case` takes. */
function namesOf({ groups }: Benchmark): readonly string[] {
  return groups.flatMap(({ name, cases }) =>
    name === undefined ? cases.filter(({ role }) => role !== "reference").map((each) => each.case) : [name],
  );
}

function selected({ name, cases, ...group }: Group, names: readonly string[]): Group {
  return {
    ...group,
    cases: cases.filter(
      (each) => names.includes(name ?? each.case) || (name === undefined && each.role === "reference"),
    ),
  };
}

/** Prepares the cases of a group, and measures them by turns. */
export async function runGroup({ title, cases }: Group, run: Run): Promise<readonly Line[]> {
  const { rounds, signal, logger } = run;
  const reasons = new Map<string, string>();
  const facts = new Map<string, Facts>();
  const turns: Turn[] = [];
  for (const { case: name, contender, role, prepare, measure } of cases) {
    const failed = (error: unknown): void => {
      if (role !== "optional" || signal.aborted) throw error;
      const reason = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
      reasons.set(name, reason);
      logger.warn({ event: "notRun", case: name, reason }, `${contender} is not run: ${reason}`);
    };
    turns.push({ case: name, measure: () => measure(run), failed });
    try {
      facts.set(name, (await prepare?.(run)) ?? {});
    } catch (error) {
      failed(error);
    }
  }
  const report = (name: string, place: string, figures: Figures): void => {
    logger.info({ event: "measured", case: name, ...figures }, `${name}, ${place}: ${textOf(figures)}`);
  };
  const found = await runRounds(
    turns.filter((turn) => facts.has(turn.case)),
    {
      rounds,
      signal,
      onFigures: (name, round, figures) => {
        report(name, `round ${round} of ${rounds}`, figures);
      },
    },
  );
  const lines: Line[] = [];
  for (const { case: name, contender, afterwards, ratios = [], targets } of cases) {
    const about = { case: name, ...(title === undefined ? {} : { title }), contender };
    const notRun = reasons.get(name);
    if (notRun !== undefined) {
      lines.push({ ...about, figures: {}, notRun });
      continue;
    }
    signal.throwIfAborted();
    const own = found.get(name) ?? [];
    const after = (await afterwards?.(run)) ?? {};
    if (afterwards !== undefined) report(name, "after the rounds", after);
    const toOthers = ratios.map(({ name: ratio, of, to }) => {
      const others = column(found.get(to) ?? [], of);
      return [ratio, rounded(pairedRatio(column(own, of), others))] as const;
    });
    const figures = {
      rounds: own.length,
      ...mediansOf(own),
      ...Object.fromEntries(toOthers),
      ...mediansOf([after]),
    };
    const told = targets === undefined ? {} : { targets: toldTargets(targets, figures) };
    lines.push({ ...about, facts: facts.get(name) ?? {}, figures, ...told });
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
  benchmark: Benchmark,
): (args: readonly string[], env: Readonly<Record<string, string | undefined>>) => Config {
  const { description, which, options } = benchmark;
  const names = namesOf(benchmark);
  return (args, env) => {
    const cli = new CommandLine(program, description);
    const number = (
      name: (typeof options)[number],
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
