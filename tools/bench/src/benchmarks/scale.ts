import type { Benchmark, Case } from "../benchmark.ts";
import type { Load } from "../lab/bed.ts";
import { millrace } from "../lab/contenders.ts";
import { measure } from "../lab/trial.ts";
import { CONTENDER, CPU, figures, PEAK, RATE, targets, times } from "../table.ts";

/** One end of something that grows. */
interface End {
  readonly case: string;
  readonly contender: string;
  readonly load: Load;
  readonly events: number;
}

const MILLION = 1_000_000;
const FRAMES: Load = { transport: "pubsub", batch: 64 };
const BARE: Load = { transport: "pubsub", batch: undefined };

const end = (name: string, contender: string, events: number, load: Load): End => ({
  case: name,
  contender,
  load,
  events,
});

/** Things that grow: a large case against a small one. */
const SCALES: readonly { name: string; title: string; small: End; large: End }[] = [
  {
    name: "events",
    title: "From 1 to 10 million events",
    small: end("events-1M", "1 million events", MILLION, BARE),
    large: end("events-10M", "10 million events", 10 * MILLION, BARE),
  },
  {
    name: "partitions",
    title: "From 1 to 64 partitions, bare lines",
    small: end("partitions-1", "1 partition", MILLION, BARE),
    large: end("partitions-64", "64 partitions", MILLION, { ...BARE, partitions: 64 }),
  },
  {
    name: "partitions-frames",
    title: "From 1 to 64 partitions, frames of 64",
    small: end("partitions-frames-1", "1 partition", 3 * MILLION, FRAMES),
    large: end("partitions-frames-64", "64 partitions", 3 * MILLION, { ...FRAMES, partitions: 64 }),
  },
];

/** Whether the cost of an event stays the same as things grow: within a fifth. */
export const scale: Benchmark = {
  name: "scale",
  description: "Shows whether an event costs the same when there are more of them, or more partitions.",
  which: "what grows",
  names: SCALES.map(({ name }) => name),
  options: ["rounds", "scale"],
  columns: [CONTENDER, CPU, figures("to the small case", ["ratioToSmall"], times), targets(), RATE, PEAK],
  groups: async (run) => {
    const bed = await run.bed();
    const caseOf = ({ case: name, contender, load, events }: End): Case => ({
      case: name,
      contender,
      measure: () => measure({ bed, load, contender: millrace(contender) }, events, run.scale),
    });
    return SCALES.filter(({ name }) => run.names.includes(name)).map(({ title, small, large }) => ({
      title,
      cases: [
        caseOf(small),
        {
          ...caseOf(large),
          ratios: [{ name: "ratioToSmall", of: "cpuMicrosPerEvent", to: small.case }],
          targets: [{ ratio: "ratioToSmall", atMost: 1.2 }],
        },
      ],
    }));
  },
};
