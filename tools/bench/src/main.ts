import { runProgram, UsageError } from "@millrace/cli";
import type { Benchmark } from "./benchmark.ts";
import { engine } from "./benchmarks/engine.ts";
import { peers } from "./benchmarks/peers.ts";
import { pipeline } from "./benchmarks/pipeline.ts";
import { publisher } from "./benchmarks/publisher.ts";
import { scale } from "./benchmarks/scale.ts";
import { soak } from "./benchmarks/soak.ts";
import { runBenchmark } from "./run-benchmark.ts";

const BENCHMARKS: readonly Benchmark[] = [engine, pipeline, publisher, scale, peers, soak];

/* Runs the benchmark that is the first argument, with the options that follow it. */
const [name = "", ...args] = process.argv.slice(2);
const benchmark = BENCHMARKS.find((each) => each.name === name);
if (benchmark !== undefined) await runBenchmark(benchmark, args);
else {
  const names = BENCHMARKS.map((each) => each.name).join(", ");
  await runProgram(
    "bench",
    () => {
      throw new UsageError(`There is no benchmark "${name}". There are: ${names}.`);
    },
    () => Promise.resolve(),
  );
}
