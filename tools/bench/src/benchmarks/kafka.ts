import type { Benchmark, Case, Ratio } from "../benchmark.ts";
import type { Load } from "../lab/bed.ts";
import { millrace, ownProgram, programFile } from "../lab/programs.ts";
import type { Contender } from "../lab/programs.ts";
import { counting } from "../lab/trial.ts";
import { CPU, CPU_RATE } from "../lab/usage.ts";

const RECORDS: Load = { transport: "kafka", batch: undefined, events: 1_000_000 };
/** While nothing comes, they ask the broker again and again. */
const POLLING = 0.1;

const WHOLE = `--flow=${programFile("whole-clicks-flow")}`;

/** The Kafka source beside loops on the same client, and beside a library for the same job. Every record is one event. */
export const kafka: Benchmark = {
  name: "kafka",
  description: "Compares the aggregator over Kafka with loops on the same client, and with @kafkats/flow.",
  groups: [
    {
      name: "all",
      title: "Kafka, records of one line",
      cases: [
        counting("loop", RECORDS, polling(ownProgram("bare loop, fetch", "kafka-loop", () => ["fetch"]))),
        counting(
          "consumer",
          RECORDS,
          polling(ownProgram("the same, runBatch of its consumer", "kafka-loop", () => ["consumer"])),
        ),
        counting(
          "off",
          RECORDS,
          polling(millrace("Millrace, exactly-once off", ["--store=none"])),
          ...toLoops(0.95),
        ),
        counting(
          "whole",
          RECORDS,
          polling(millrace("the same, projection off", ["--store=none", WHOLE])),
          ...toLoops(1.15),
        ),
        counting(
          "on",
          RECORDS,
          polling(millrace("Millrace, exactly-once on", ["--sink=redis"], "redis")),
          ...toLoops(),
          { heading: "rate to off", of: CPU_RATE, to: "off" },
        ),
        flow("memory", "@kafkats/flow 0.12, state in memory"),
        flow("changelog", "@kafkats/flow 0.12, changelog", 0.1),
      ],
    },
  ],
};

function toLoops(atMost?: number): readonly Ratio[] {
  return [
    { heading: "to the bare loop", of: CPU, to: "loop", atMost },
    { heading: "to its consumer", of: CPU, to: "consumer" },
  ];
}

function flow(state: string, name: string, share = 1): Case {
  const contender = { ...ownProgram(name, "kafkats-flow", () => [state]), share };
  return {
    ...counting(state, RECORDS, polling(contender), {
      heading: "Millrace is N times as fast",
      of: CPU,
      to: "on",
      atLeast: 3,
    }),
    optional: true,
  };
}

function polling(contender: Contender): Contender {
  return { ...contender, idling: POLLING };
}
