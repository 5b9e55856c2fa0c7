import { runProgram } from "@millrace/cli";
import type { ProgramContext } from "@millrace/cli";
import type { Benchmark, Case, Group, Run } from "./benchmark.ts";
import { Bed, machineLine } from "./lab/bed.ts";
import { optionsReader } from "./options.ts";
import type { Config } from "./options.ts";
import { runRounds } from "./rounds.ts";
import type { Figures } from "./rounds.ts";
import { median, pairedRatio, rounded } from "./statistics.ts";
import { markdownTable } from "./table.ts";
import type { CheckedTarget, Line, Target } from "./table.ts";

/** A benchmark was stopped before it had all its figures. */
export class BenchInterruptedError extends Error {
  static readonly code = "MILLRACE_BENCH_INTERRUPTED";
  readonly code: string = BenchInterruptedError.code;

  constructor() {
    super("The benchmark was interrupted. What is not printed yet was not measured: run it again.");
    this.name = "BenchInterruptedError";
  }
}

/** Runs a benchmark as this process, and prints each group after its measurement. */
export async function runBenchmark(benchmark: Benchmark, args: readonly string[]): Promise<void> {
  const name = `bench ${benchmark.name}`;
  const reader = optionsReader(name, benchmark, benchmark.groups.flatMap(namesOf));
  await runProgram(name, reader, measureAll, args);

  async function measureAll({ config, logger, signal }: ProgramContext<Config>): Promise<void> {
    let bed: Promise<Bed> | undefined;
    const close = async (): Promise<void> => bed?.then((opened) => opened.close());
    signal.addEventListener("abort", () => void close().catch(() => undefined));
    try {
      const run: Run = { ...config, logger, signal, bed: () => (bed ??= Bed.open()) };
      const groups = benchmark.groups.flatMap((group) => selected(group, config.names));
      for (const [index, group] of groups.entries()) {
        const lines = await runGroup(group, run);
        // Redis is known once a group has used it.
        if (index === 0 && !config.json) process.stdout.write(`${await machineLine(await bed)}\n`);
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

/** The names by which `--case` selects a group or its cases. */
function namesOf({ name, cases }: Group): readonly string[] {
  if (name !== undefined) return [name];
  return cases.filter(({ role }) => role !== "reference").map((each) => each.case);
}

/** The selected part of a group; empty if there is none. */
function selected(group: Group, names: readonly string[]): readonly Group[] {
  if (!namesOf(group).some((name) => names.includes(name))) return [];
  if (group.name !== undefined) return [group];
  return [
    { ...group, cases: group.cases.filter((each) => each.role === "reference" || names.includes(each.case)) },
  ];
}

/** Measures the cases of a group by turns. */
export async function runGroup({ title, cases }: Group, run: Run): Promise<readonly Line[]> {
  const { rounds, signal, logger } = run;
  const reasons = new Map<string, string>();
  const report = (name: string, place: string, figures: Figures): void => {
    logger.info({ event: "measured", case: name, ...figures }, `${name}, ${place}: ${textOf(figures)}`);
  };
  const turns = cases.map(({ case: name, contender, role, measure }) => ({
    case: name,
    measure: () => measure(run),
    failed: (error: unknown) => {
      if (role !== "optional" || signal.aborted) throw error;
      const reason = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
      reasons.set(name, reason);
      logger.warn({ event: "notRun", case: name, reason }, `${contender} is not run: ${reason}`);
    },
  }));
  const found = await runRounds(turns, {
    rounds,
    signal,
    onFigures: (name, round, figures) => {
      report(name, `round ${round} of ${rounds}`, figures);
    },
  });
  const lines: Line[] = [];
  for (const each of cases) {
    const { case: name, contender, version, targets, afterwards } = each;
    const about = { case: name, ...(title && { title }), contender, ...(version && { version }) };
    const notRun = reasons.get(name);
    if (notRun !== undefined) {
      lines.push({ ...about, figures: {}, notRun });
      continue;
    }
    signal.throwIfAborted();
    const later = (await afterwards?.(run)) ?? {};
    if (afterwards) report(name, "after the rounds", later);
    const figures = { ...figuresOf(each, found), ...mediansOf([later]) };
    lines.push({ ...about, figures, ...(targets && { targets: checkedTargets(targets, figures) }) });
  }
  return lines;
}

/** Medians of the rounds of a case, and its ratios to others. */
function figuresOf(
  { case: name, ratios = [] }: Case,
  found: ReadonlyMap<string, readonly Figures[]>,
): Figures {
  const roundsOf = (each: string): readonly Figures[] => found.get(each) ?? [];
  const own = roundsOf(name);
  const toOthers = ratios.map(({ name: ratio, of, to }): [string, number] => [
    ratio,
    rounded(pairedRatio(column(own, of), column(roundsOf(to), of))),
  ]);
  return { rounds: own.length, ...mediansOf(own), ...Object.fromEntries(toOthers) };
}

function mediansOf(rounds: readonly Figures[]): Figures {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, rounded(median(column(rounds, name)))]));
}

function column(rounds: readonly Figures[], name: string): readonly number[] {
  return rounds.map((figures) => figures[name] ?? Number.NaN);
}

function checkedTargets(targets: readonly Target[], figures: Figures): readonly CheckedTarget[] {
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
  return lines.map(({ figures, ...others }) => `${JSON.stringify({ ...others, ...figures })}\n`).join("");
}

function tableOf({ columns }: Benchmark, { title }: Group, lines: readonly Line[]): string {
  return `${title === undefined ? "" : `\n### ${title}\n`}\n${markdownTable(columns, lines)}\n`;
}
