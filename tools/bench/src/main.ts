import {
  CommandLine,
  integer,
  listOf,
  logOptions,
  oneOf,
  positive,
  runProgram,
  UsageError,
} from "@millrace/cli";
import type { ProgramConfig } from "@millrace/cli";
import { MillraceError } from "@millrace/dataflow";
import type { Benchmark, Group, Run } from "./benchmark.ts";
import { engine } from "./benchmarks/engine.ts";
import { peers } from "./benchmarks/peers.ts";
import { pipeline } from "./benchmarks/pipeline.ts";
import { publisher } from "./benchmarks/publisher.ts";
import { scale } from "./benchmarks/scale.ts";
import { soak } from "./benchmarks/soak.ts";
import { Bed, machineLine } from "./lab/bed.ts";
import { runGroup } from "./run-group.ts";
import { markdownTable } from "./table.ts";

const BENCHMARKS: readonly Benchmark[] = [engine, pipeline, publisher, scale, peers, soak];

/** A benchmark was stopped before it had all its figures. */
class BenchInterruptedError extends MillraceError {
  static readonly code = "MILLRACE_BENCH_INTERRUPTED";
  readonly code = BenchInterruptedError.code;
}

interface Config extends ProgramConfig, Pick<Run, "rounds" | "scale"> {
  readonly benchmark: Benchmark;
  /** The selected cases. */
  readonly groups: readonly Group[];
  /** Whether a JSON object is printed for each case instead of a table. */
  readonly json: boolean;
}

/* Runs the benchmark that is the first argument, with the options that follow it, and prints each group when it is measured. */
const [name = "", ...options] = process.argv.slice(2);
await runProgram(
  `bench ${name}`,
  readConfig,
  async ({ config, logger, signal }) => {
    const { benchmark, groups, json } = config;
    let bed: Promise<Bed> | undefined;
    const close = async (): Promise<void> => bed?.then((opened) => opened.close());
    signal.addEventListener("abort", () => void close().catch(() => undefined));
    try {
      const run: Run = { ...config, logger, signal, bed: () => (bed ??= Bed.open()) };
      for (const [index, group] of groups.entries()) {
        const lines = await runGroup(group, run);
        for (const { figures, ...others } of json ? lines : []) {
          process.stdout.write(`${JSON.stringify({ ...others, ...figures })}\n`);
        }
        if (json) continue;
        // Redis is known once a group has used it.
        if (index === 0) process.stdout.write(`${await machineLine(await bed)}\n`);
        const title = group.title === undefined ? "" : `\n### ${group.title}\n`;
        process.stdout.write(`${title}\n${markdownTable(benchmark.columns, lines)}\n`);
      }
    } catch (error) {
      // What was running fails as well when everything ends.
      if (!signal.aborted) throw error;
      throw new BenchInterruptedError(
        "The benchmark was interrupted. What is not printed yet was not measured: run it again.",
      );
    } finally {
      await close();
    }
  },
  options,
);

function readConfig(args: readonly string[], env: NodeJS.ProcessEnv): Config {
  const benchmark = BENCHMARKS.find((each) => each.name === name);
  if (benchmark === undefined) {
    const names = BENCHMARKS.map((each) => each.name).join(", ");
    throw new UsageError(`There is no benchmark "${name}". There are: ${names}.`);
  }
  const all = benchmark.groups.flatMap(({ cases }) => cases.flatMap(({ choice }) => choice ?? []));
  const choices = [...new Set(all)];
  const cli = new CommandLine(`bench ${name}`, benchmark.description);
  const chosen = cli.option(
    {
      flag: "--case <names>",
      env: "BENCH_CASE",
      description: `which cases, separated by commas: ${choices.join(", ")}`,
      parse: listOf(oneOf(choices)),
      defaultText: "all",
    },
    choices,
  );
  const rounds = cli.option(
    {
      flag: "--rounds <number>",
      env: "BENCH_ROUNDS",
      description: "how many turns each case has",
      parse: integer(1, 1_000),
    },
    benchmark.rounds ?? 5,
  );
  const scaled = cli.option(
    {
      flag: "--scale <factor>",
      env: "BENCH_SCALE",
      description: "multiplies the events: below 1 for a quick look",
      parse: positive,
    },
    1,
  );
  const json = cli.toggle({
    flag: "--json",
    env: "BENCH_JSON",
    description: "print a JSON object for each case instead of a table",
  });
  const log = logOptions(cli);
  cli.parse(args, env);
  const groups = benchmark.groups
    .map((group) => ({
      ...group,
      cases: group.cases.filter(({ choice }) => choice === undefined || chosen().includes(choice)),
    }))
    .filter(({ cases }) => cases.some(({ choice }) => choice !== undefined));
  return { benchmark, groups, rounds: rounds(), scale: scaled(), json: json(), log: log() };
}
