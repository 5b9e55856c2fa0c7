import { group } from "../benchmark.ts";
import type { Benchmark, Group, Run } from "../benchmark.ts";
import type { Load } from "../lab/bed.ts";
import { millrace } from "../lab/contenders.ts";
import { measure } from "../lab/trial.ts";
import { CONTENDER, CPU, figures, PEAK, RATE, targets, times } from "../table.ts";

const MILLION = 1_000_000;
const BARE: Load = { transport: "pubsub", batch: undefined };
const FRAMES: Load = { transport: "pubsub", batch: 64 };

/** One end of something that grows. */
type End = readonly [name: string, contender: string, load: Load, events: number];

/** Whether the cost of an event stays the same as things grow: within a fifth. */
export const scale: Benchmark = {
  name: "scale",
  description: "Shows whether an event costs the same when there are more of them, or more partitions.",
  groups: [
    growing("events", "From 1 to 10 million events", [
      ["events-1M", "1 million events", BARE, MILLION],
      ["events-10M", "10 million events", BARE, 10 * MILLION],
    ]),
    growing("partitions", "From 1 to 64 partitions, bare lines", [
      ["partitions-1", "1 partition", BARE, MILLION],
      ["partitions-64", "64 partitions", { ...BARE, partitions: 64 }, MILLION],
    ]),
    growing("partitions-frames", "From 1 to 64 partitions, frames of 64", [
      ["partitions-frames-1", "1 partition", FRAMES, 3 * MILLION],
      ["partitions-frames-64", "64 partitions", { ...FRAMES, partitions: 64 }, 3 * MILLION],
    ]),
  ],
  columns: [CONTENDER, CPU, figures("to the small case", ["ratioToSmall"], times), targets(), RATE, PEAK],
};

function growing(choice: string, title: string, ends: readonly [small: End, large: End]): Group {
  const cases = ends.map(([name, contender, load, events], index) => ({
    case: name,
    contender,
    measure: (run: Run) => measure(run, { load, contender: millrace(contender) }, events),
    ...(index > 0 && { targets: [{ ratio: "ratioToSmall", atMost: 1.2 }] }),
  }));
  return group(choice, title, { name: "ratioToSmall", of: "cpuMicrosPerEvent" }, cases);
}
