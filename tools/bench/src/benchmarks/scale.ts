import type { Benchmark, Group } from "../benchmark.ts";
import type { Load } from "../lab/bed.ts";
import { millrace } from "../lab/contenders.ts";
import { counting } from "../lab/trial.ts";
import { CONTENDER, CPU, figures, PEAK, RATE, targets, times } from "../table.ts";

/** One end of something that grows. */
interface End {
  readonly case: string;
  readonly name: string;
  readonly load: Load;
  readonly events: number;
}

const MILLION = 1_000_000;
const FRAMES: Load = { transport: "pubsub", batch: 64 };
const BARE: Load = { transport: "pubsub", batch: undefined };
const PARTITIONS = 64;

/** Whether the cost of an event stays the same as things grow: within a fifth. */
export const scale: Benchmark = {
  name: "scale",
  description: "Shows whether an event costs the same when there are more of them, or more partitions.",
  which: "what grows",
  options: ["rounds", "scale"],
  groups: [
    group("events", "From 1 to 10 million events", {
      small: { case: "events-1M", name: "1 million events", load: BARE, events: MILLION },
      large: { case: "events-10M", name: "10 million events", load: BARE, events: 10 * MILLION },
    }),
    partitions("partitions", "bare lines", BARE, MILLION),
    partitions("partitions-frames", "frames of 64", FRAMES, 3 * MILLION),
  ],
  columns: [CONTENDER, CPU, figures("to the small case", ["ratioToSmall"], times), targets(), RATE, PEAK],
};

function partitions(name: string, form: string, load: Load, events: number): Group {
  const many = { ...load, partitions: PARTITIONS };
  return group(name, `From 1 to ${PARTITIONS} partitions, ${form}`, {
    small: { case: `${name}-1`, name: "1 partition", load, events },
    large: { case: `${name}-${PARTITIONS}`, name: `${PARTITIONS} partitions`, load: many, events },
  });
}

function group(name: string, title: string, { small, large }: Record<"small" | "large", End>): Group {
  const cases = [small, large].map((end) => counting(end.case, { ...end, contender: millrace(end.name) }));
  const ratios = [{ name: "ratioToSmall", of: "cpuMicrosPerEvent", to: small.case }];
  const bounds = [{ ratio: "ratioToSmall", atMost: 1.2 }];
  return {
    name,
    title,
    cases: cases.map((each) => (each.case === large.case ? { ...each, ratios, targets: bounds } : each)),
  };
}
