import type { Benchmark, Group, Ratio } from "../benchmark.ts";
import { FRAMES, LINES } from "../lab/bed.ts";
import type { Load } from "../lab/bed.ts";
import { millrace } from "../lab/programs.ts";
import { counting } from "../lab/trial.ts";
import { CPU } from "../lab/usage.ts";

/** The cost of an event stays the same as things grow: within a fifth. */
const GROWTH: Ratio = { heading: "to the small case", of: CPU, to: "small", atMost: 1.2 };

/** Whether an event costs the same when there are more of them, or more partitions. */
export const scale: Benchmark = {
  name: "scale",
  description: "Shows whether an event costs the same when there are more of them, or more partitions.",
  groups: [
    {
      name: "events",
      title: "From 1 to 10 million events",
      cases: [
        counting("small", LINES, millrace("1 million events")),
        counting("large", { ...LINES, events: 10_000_000 }, millrace("10 million events"), GROWTH),
      ],
    },
    partitions("partitions", "From 1 to 64 partitions, bare lines", LINES),
    partitions("partitions-frames", "From 1 to 64 partitions, frames of 64", FRAMES),
  ],
};

function partitions(name: string, title: string, load: Load): Group {
  const small = counting("small", load, millrace("1 partition"));
  const large = { ...load, partitions: 64 };
  return { name, title, cases: [small, counting("large", large, millrace("64 partitions"), GROWTH)] };
}
