import type { Benchmark, Case, Group, Ratio, Run, Target } from "../benchmark.ts";
import type { Bed, Load } from "../lab/bed.ts";
import { millrace, ownProgram } from "../lab/contenders.ts";
import type { Contender } from "../lab/contenders.ts";
import { programFile } from "../lab/programs.ts";
import { measure, measureFloor, measureLatency } from "../lab/trial.ts";
import { CONTENDER, CPU, figures, PEAK, RATE, targets, times, whole } from "../table.ts";

/** Publisher, Redis and aggregator, beside the loops that people write by hand. */
export const pipeline: Benchmark = {
  name: "pipeline",
  description:
    "Measures publisher, Redis and aggregator together, beside the loops that people write by hand.",
  which: "which groups of cases",
  names: ["clients", "pubsub-bare", "pubsub-frames", "stream-1", "stream-64"],
  options: ["rounds", "scale", "latency"],
  columns: [
    CONTENDER,
    CPU,
    figures("to the bare loop", ["ratioToBareListener"], times),
    figures("to the floor", ["ratioToFloor"], times),
    figures("rate to off", ["rateToOff"], times),
    targets({ ratioToBareListener: "the bare loop", ratioToFloor: "the floor", rateToOff: "off" }),
    RATE,
    figures("latency p50, p99 ms", ["latencyP50Ms", "latencyP99Ms"], whole),
    PEAK,
  ],
  groups: async (run) => {
    const bed = await run.bed();
    return GROUPS.filter(({ name }) => run.names.includes(name)).map((group) => groupOf(bed, run, group));
  },
};

/** Contenders that take turns over the same events. */
interface Contest {
  readonly name: string;
  readonly title: string;
  readonly load: Load;
  readonly events: number;
  /** The first one is the loop written by hand. */
  readonly entries: readonly Entry[];
  /** Whether the floor takes its turns too. */
  readonly floor?: boolean;
}

interface Entry {
  readonly case: string;
  readonly contender: Contender;
  readonly targets?: readonly Target[];
  /** With options that make windows close at once, so that latency is the program's own. */
  readonly whenTimed?: Contender;
  /** The case without exactly-once that its rate is compared with. */
  readonly off?: string;
}

const MILLION = 1_000_000;
/** Events that the bare loop asks for at a time, about as many as the aggregator does. */
const XREAD_EVENTS = 1_024;

const bareListener = (name: string, client: string): Contender =>
  ownProgram(`bare listener, ${name}`, "bare-listener", ({ batch }) => [
    batch === undefined ? "bare" : "frames",
    client,
  ]);
const bareXread = ownProgram("bare XREAD loop", "bare-xread", ({ batch = 1 }) => [
  Math.max(Math.floor(XREAD_EVENTS / batch), 1),
]);
const ioredis5 = bareListener("ioredis 5.11", "ioredis5");

const GROUPS: readonly Contest[] = [
  {
    name: "clients",
    title: "The bare listener by client library",
    load: { transport: "pubsub", batch: undefined },
    events: MILLION,
    entries: [
      { case: "clients-ioredis5", contender: ioredis5 },
      { case: "clients-ioredis6", contender: bareListener("ioredis 6 (RESP3)", "ioredis6") },
      { case: "clients-ioredis6-resp2", contender: bareListener("ioredis 6 with RESP2", "ioredis6-resp2") },
    ],
  },
  {
    ...pubSub("pubsub-bare", "ratioToBareListener", 0.9, 1.15),
    title: "Pub/Sub, bare lines",
    load: { transport: "pubsub", batch: undefined },
    events: MILLION,
  },
  {
    ...pubSub("pubsub-frames", "ratioToFloor", 0.6, 1.4),
    title: "Pub/Sub, frames of 64",
    load: { transport: "pubsub", batch: 64 },
    events: 3 * MILLION,
  },
  {
    ...stream("stream-1"),
    title: "Streams, frames of 1",
    load: { transport: "stream", batch: 1 },
    events: 600_000,
  },
  {
    ...stream("stream-64"),
    title: "Streams, frames of 64",
    load: { transport: "stream", batch: 64 },
    events: 2 * MILLION,
  },
];

/** @param atMost the target with the projection, and without */
function pubSub(
  name: string,
  ratio: string,
  ...[projected, whole]: readonly [atMost: number, atMost: number]
): Pick<Contest, "name" | "entries" | "floor"> {
  const wholeClicks = millrace("Millrace, projection off", [`--flow=${programFile("whole-clicks-flow")}`]);
  return {
    name,
    entries: [
      { case: `${name}-bare-listener`, contender: ioredis5 },
      { case: name, contender: millrace("Millrace"), targets: [{ ratio, atMost: projected }] },
      { case: `${name}-whole`, contender: wholeClicks, targets: [{ ratio, atMost: whole }] },
    ],
    floor: true,
  };
}

function stream(name: string): Pick<Contest, "name" | "entries"> {
  const off = (...args: readonly string[]): Contender =>
    millrace("Millrace, exactly-once off", ["--store=none", ...args]);
  const on = (...args: readonly string[]): Contender =>
    millrace("Millrace, exactly-once on", ["--sink=redis", ...args], "redis");
  const atOnce = "--clock=publish:0ms";
  return {
    name,
    entries: [
      { case: `${name}-bare-loop`, contender: bareXread },
      { case: `${name}-off`, contender: off(), whenTimed: off(atOnce) },
      {
        case: `${name}-on`,
        contender: on(),
        whenTimed: on(atOnce),
        off: `${name}-off`,
        targets: [{ ratio: "rateToOff", atLeast: 0.85 }],
      },
    ],
  };
}

function groupOf(bed: Bed, run: Run, contest: Contest): Group {
  const { name, title, load, events, entries, floor = false } = contest;
  const floorCase = `${name}-floor`;
  const facts = { events: Math.round(events * run.scale) };
  const cpu = (ratio: string, to: string): Ratio => ({ name: ratio, of: "cpuMicrosPerEvent", to });
  const toAll = [
    ...entries.slice(0, 1).map((bare) => cpu("ratioToBareListener", bare.case)),
    ...(floor ? [cpu("ratioToFloor", floorCase)] : []),
  ];
  const cases = entries.map((entry): Case => {
    const { contender, whenTimed = contender, targets: bounds, off } = entry;
    return {
      case: entry.case,
      contender: contender.name,
      facts,
      measure: () => measure({ bed, load, contender }, events, run.scale),
      ...(run.latency && { afterwards: () => measureLatency({ bed, load, contender: whenTimed }) }),
      ratios: [
        ...toAll,
        ...(off === undefined ? [] : [{ name: "rateToOff", of: "eventsPerCpuSecond", to: off }]),
      ],
      ...(bounds && { targets: bounds }),
    };
  });
  if (!floor) return { title, cases };
  const loop: Case = {
    case: floorCase,
    contender: "floor: the loop without Redis",
    facts,
    measure: () => measureFloor(events, run.scale),
    ratios: toAll,
  };
  return { title, cases: [...cases, loop] };
}
