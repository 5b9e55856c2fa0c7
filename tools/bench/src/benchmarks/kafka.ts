import type { Benchmark, Case, Ratio } from "../benchmark.ts";
import type { Load } from "../lab/bed.ts";
import { millrace, ownProgram, programFile } from "../lab/programs.ts";
import { counting } from "../lab/trial.ts";
import { CPU, CPU_RATE } from "../lab/usage.ts";
import { latencies } from "./latency.ts";

/** Every record is one event. */
export const RECORDS: Load = { transport: "kafka", batch: undefined, events: 1_000_000 };

const fetchLoop = ownProgram("bare loop, fetch", "kafka-loop", () => ["fetch"]);
const consumerLoop = ownProgram("bare loop, runBatch of its consumer", "kafka-loop", () => ["consumer"]);
const off = millrace("Millrace, exactly-once off", ["--store=none"]);
const whole = millrace("the same, projection off", [
  "--store=none",
  `--flow=${programFile("whole-clicks-flow")}`,
]);
const on = millrace("Millrace, exactly-once on", ["--sink=redis"], "redis");
const RATE_TO_OFF: Ratio = { heading: "rate to off", of: CPU_RATE, to: "off" };

/** The Kafka source beside loops on the same client, and beside a library for the same job. */
export const kafka: Benchmark = {
  name: "kafka",
  description: "Compares the aggregator over Kafka with loops on the same client, and with @kafkats/flow.",
  groups: [
    {
      name: "all",
      title: "Kafka, records of one line",
      cases: [
        counting("loop", RECORDS, fetchLoop),
        { ...counting("consumer", RECORDS, consumerLoop), optional: true },
        counting("off", RECORDS, off, ...toLoops(0.95)),
        counting("whole", RECORDS, whole, ...toLoops(1.15)),
        counting("on", RECORDS, on, ...toLoops(), RATE_TO_OFF),
        flow("memory", "@kafkats/flow 0.12, state in memory"),
        flow("changelog", "@kafkats/flow 0.12, changelog", 0.02),
      ],
    },
    {
      name: "latency",
      title: "From the end of a window to its last row",
      cases: latencies("kafka", "Kafka", RECORDS),
    },
  ],
};

/** The target is to the loop that takes the least. */
function toLoops(atMost?: number): readonly Ratio[] {
  return [
    { heading: "to the bare loop", of: CPU, to: "loop", atMost },
    { heading: "to the consumer's", of: CPU, to: "consumer" },
  ];
}

function flow(state: string, name: string, share = 1): Case {
  const ratio: Ratio = { heading: "Millrace is N times as fast", of: CPU, to: "on", atLeast: 3 };
  const contender = { ...ownProgram(name, "kafkats-flow", () => [state]), share };
  return { ...counting(state, RECORDS, contender, ratio), optional: true };
}
