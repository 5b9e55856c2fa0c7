import type { Benchmark, Group, Ratio } from "../benchmark.ts";
import { FRAMES, LINES } from "../lab/bed.ts";
import type { Load } from "../lab/bed.ts";
import { millrace } from "../lab/programs.ts";
import { counting } from "../lab/trial.ts";
import { CPU } from "../lab/usage.ts";

/** The cost of an event stays the same as things grow: within a fifth. */
const GROWTH: Ratio = { heading: "to the small case", of: CPU, to: "small", atMost: 1.2 };

export const scale: Benchmark = {
  name: "scale",
  description: "Shows whether an event costs the same when there are more of them, or more partitions.",
  groups: [
    growth("events", LINES, "1 million events", { events: 10_000_000 }, "10 million events"),
    growth("partitions", LINES, "bare lines, 1 partition", { partitions: 64 }, "64 partitions"),
    growth("partitions-frames", FRAMES, "frames of 64, 1 partition", { partitions: 64 }, "64 partitions"),
  ],
};

function growth(name: string, load: Load, small: string, more: Partial<Load>, large: string): Group {
  const cases = [
    counting("small", load, millrace(small)),
    counting("large", { ...load, ...more }, millrace(large), GROWTH),
  ];
  return { name, title: `From ${small} to ${large}`, cases };
}
