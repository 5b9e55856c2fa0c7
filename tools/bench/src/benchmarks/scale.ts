import type { Benchmark, Group, Ratio } from "../benchmark.ts";
import { FRAMES, LINES } from "../lab/bed.ts";
import type { Load } from "../lab/bed.ts";
import { millrace } from "../lab/programs.ts";
import { counting } from "../lab/trial.ts";
import { CPU, RATE } from "../lab/usage.ts";
import { chain } from "./chain.ts";
import { RECORDS } from "./kafka.ts";

/** Exactly-once: position, windows and rows are in Redis. */
const ON = ["--sink=redis"];

/** The cost of an event stays the same as things grow: within a fifth. */
const GROWTH: Ratio = { heading: "to the small case", of: CPU, to: "small", atMost: 1.2 };

export const scale: Benchmark = {
  name: "scale",
  description:
    "Shows whether an event costs the same when there are more of them, more partitions or processes.",
  groups: [
    growth("events", LINES, "1 million events", { events: 10_000_000 }, "10 million events"),
    growth("partitions", LINES, "bare lines, 1 partition", { partitions: 64 }, "64 partitions"),
    growth("partitions-frames", FRAMES, "frames of 64, 1 partition", { partitions: 64 }, "64 partitions"),
    {
      name: "chain",
      title: "The cost of an event at each part, CPU µs",
      cases: [
        chain("chain-64", { ...FRAMES, transport: "stream" }, millrace("streams, frames of 64", ON, "redis")),
        chain(
          "chain-1",
          { ...LINES, transport: "stream", batch: 1 },
          millrace("streams, frames of 1", ON, "redis"),
        ),
        chain("chain-kafka", RECORDS, millrace("Kafka", ON, "redis")),
      ],
    },
    processes("processes", "frames of 64 over streams", { ...FRAMES, transport: "stream" }),
    processes("processes-kafka", "Kafka", RECORDS),
  ],
};

function growth(name: string, load: Load, small: string, more: Partial<Load>, large: string): Group {
  const cases = [
    counting("small", load, millrace(small)),
    counting("large", { ...load, ...more }, millrace(large), GROWTH),
  ];
  return { name, title: `From ${small} to ${large}`, cases };
}

/** Of one command on eight partitions; a lease is longer than the pause of the measurement. */
function processes(name: string, input: string, load: Load): Group {
  const shared = { ...load, partitions: 8 };
  const one = millrace("1 process", ON, "redis");
  const two = {
    ...millrace("2 processes", [...ON, "--processes=2", "--lease=60s"], "redis"),
    processes: 2,
  };
  const rate: Ratio = { heading: "rate to one", of: RATE, to: "small" };
  const cases = [counting("small", shared, one), counting("large", shared, two, GROWTH, rate)];
  return { name, title: `One process and two, ${input}`, cases };
}
