import { cpus, release, totalmem, type } from "node:os";
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
import type { Parser, ProgramConfig, Value } from "@millrace/cli";
import { selected } from "./benchmark.ts";
import type { Benchmark, Group, Run } from "./benchmark.ts";
import { engine } from "./benchmarks/engine.ts";
import { kafka } from "./benchmarks/kafka.ts";
import { peers } from "./benchmarks/peers.ts";
import { pipeline } from "./benchmarks/pipeline.ts";
import { publisher } from "./benchmarks/publisher.ts";
import { scale } from "./benchmarks/scale.ts";
import { shares } from "./benchmarks/shares.ts";
import { soak } from "./benchmarks/soak.ts";
import { runGroup } from "./run-group.ts";
import { markdownTable } from "./table.ts";

const BENCHMARKS: readonly Benchmark[] = [engine, pipeline, publisher, scale, peers, kafka, shares, soak];

interface Config extends ProgramConfig, Pick<Run, "rounds" | "scale"> {
  /** The selected cases. */
  readonly groups: readonly Group[];
}

/* Runs the benchmark that is the first argument, with the options that follow it, and prints each group when it is measured. */
const [name = "", ...options] = process.argv.slice(2);
await runProgram(
  `bench ${name}`,
  readConfig,
  async ({ config, logger, signal }) => {
    const memory = Math.round(totalmem() / 2 ** 30);
    // Figures mean something on such a machine only.
    const machine = `${cpus().length} cores of ${cpus()[0]?.model.trim() ?? "unknown"}, ${memory} GiB`;
    process.stdout.write(`${machine}, ${type()} ${release()}, Node ${process.version}\n`);
    for (const group of config.groups) {
      const lines = await runGroup(group, { ...config, logger, signal });
      const title = group.title === undefined ? "" : `### ${group.title}\n\n`;
      process.stdout.write(`\n${title}${markdownTable(lines)}`);
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
  const names = benchmark.groups.flatMap((group) => [group.name, ...group.cases.map((each) => each.name)]);
  const choices = [...new Set(names)];
  const cli = new CommandLine(`bench ${name}`, benchmark.description);
  const option = <T>(flag: string, description: string, parse: Parser<T>, fallback: T): Value<T> =>
    cli.option({ flag: `--${flag} <value>`, description, parse }, fallback);
  const chosen = option("case", "which cases, separated by commas", listOf(oneOf(choices)), choices);
  const rounds = option("rounds", "how many turns each case has", integer(1, 1_000), benchmark.rounds ?? 5);
  const scaled = option("scale", "multiplies the events: below 1 for a quick look", positive, 1);
  const log = logOptions(cli);
  cli.parse(args, env);
  const groups = benchmark.groups.map((group) => ({ ...group, cases: selected(group, chosen()) }));
  const notEmpty = groups.filter(({ cases }) => cases.length > 0);
  return { groups: notEmpty, rounds: rounds(), scale: scaled(), log: log() };
}
