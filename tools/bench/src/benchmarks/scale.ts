import type { Benchmark, Case, Group } from "../benchmark.ts";
import type { Load } from "../lab/bed.ts";
import { millrace } from "../lab/programs.ts";
import { measure } from "../lab/trial.ts";
import { CONTENDER, CPU, figures, PEAK, RATE, targets, times } from "../table.ts";

const MILLION = 1_000_000;
const FRAMES: Load = { transport: "pubsub", batch: 64 };
const BARE: Load = { transport: "pubsub", batch: undefined };

/** Whether the cost of an event stays the same as things grow: within a fifth. */
export const scale: Benchmark = {
  name: "scale",
  description: "Shows whether an event costs the same when there are more of them, or more partitions.",
  which: "what grows",
  options: ["rounds", "scale"],
  groups: [
    group("events", "From 1 to 10 million events", [
      end("events-1M", "1 million events", BARE, MILLION),
      end("events-10M", "10 million events", BARE, 10 * MILLION),
    ]),
    group("partitions", "From 1 to 64 partitions, bare lines", [
      end("partitions-1", "1 partition", BARE, MILLION),
      end("partitions-64", "64 partitions", { ...BARE, partitions: 64 }, MILLION),
    ]),
    group("partitions-frames", "From 1 to 64 partitions, frames of 64", [
      end("partitions-frames-1", "1 partition", FRAMES, 3 * MILLION),
      end("partitions-frames-64", "64 partitions", { ...FRAMES, partitions: 64 }, 3 * MILLION),
    ]),
  ],
  columns: [CONTENDER, CPU, figures("to the small case", ["ratioToSmall"], times), targets(), RATE, PEAK],
};

/** One end of something that grows. */
function end(name: string, contender: string, load: Load, events: number): Case {
  return {
    case: name,
    contender,
    measure: (run) => measure(run, { load, contender: millrace(contender), events }),
  };
}

function group(name: string, title: string, [small, large]: readonly [small: Case, large: Case]): Group {
  const ratios = [{ name: "ratioToSmall", of: "cpuMicrosPerEvent", to: small.case }];
  const bounds = [{ ratio: "ratioToSmall", atMost: 1.2 }];
  return { name, title, cases: [small, { ...large, ratios, targets: bounds }] };
}
