import type { Benchmark, Case, Group } from "../benchmark.ts";
import { millrace, ownProgram, programFile } from "../lab/programs.ts";
import type { Contender } from "../lab/programs.ts";
import { measure, measureFloor, measureLatency } from "../lab/trial.ts";
import type { Job } from "../lab/trial.ts";
import { CONTENDER, CPU, figures, PEAK, RATE, readable, targets, times } from "../table.ts";

const MILLION = 1_000_000;
const BARE = { load: { transport: "pubsub", batch: undefined }, events: MILLION } as const;
/** Events that the bare loop asks for at a time, about as many as the aggregator does. */
const XREAD_EVENTS = 1_024;

const bareListener = (client: string, name: string): Contender =>
  ownProgram(`bare listener, ${name}`, "bare-listener", ({ batch }) => [
    batch === undefined ? "bare" : "frames",
    client,
  ]);
const ioredis5 = bareListener("ioredis5", "ioredis 5.11");
const bareXread = ownProgram("bare XREAD loop", "bare-xread", ({ batch = 1 }) => [
  Math.max(Math.floor(XREAD_EVENTS / batch), 1),
]);

/** Publisher, Redis and aggregator, beside the loops that people write by hand. */
export const pipeline: Benchmark = {
  name: "pipeline",
  description:
    "Measures publisher, Redis and aggregator together, beside the loops that people write by hand.",
  which: "which groups of cases",
  options: ["rounds", "scale"],
  groups: [
    group("clients", "The bare listener by client library", [
      counting("clients-ioredis5", { ...BARE, contender: ioredis5 }),
      counting("clients-ioredis6", { ...BARE, contender: bareListener("ioredis6", "ioredis 6 (RESP3)") }),
      counting("clients-ioredis6-resp2", {
        ...BARE,
        contender: bareListener("ioredis6-resp2", "ioredis 6 with RESP2"),
      }),
    ]),
    pubSub("pubsub-bare", "Pub/Sub, bare lines", MILLION, undefined, ["ratioToBareListener", 0.9, 1.15]),
    pubSub("pubsub-frames", "Pub/Sub, frames of 64", 3 * MILLION, 64, ["ratioToFloor", 0.6, 1.4]),
    stream("stream-1", "Streams, frames of 1", 600_000, 1),
    stream("stream-64", "Streams, frames of 64", 2 * MILLION, 64),
  ],
  columns: [
    CONTENDER,
    CPU,
    figures("to the bare loop", ["ratioToBareListener"], times),
    figures("to the floor", ["ratioToFloor"], times),
    figures("rate to off", ["rateToOff"], times),
    targets({ ratioToBareListener: "the bare loop", ratioToFloor: "the floor", rateToOff: "off" }),
    RATE,
    figures("latency p50, p99 ms", ["latencyP50Ms", "latencyP99Ms"], readable),
    PEAK,
  ],
};

/** @param bounds a ratio, and the most that it may be with the projection and without */
function pubSub(
  name: string,
  title: string,
  events: number,
  batch: number | undefined,
  [ratio, projected, parsed]: readonly [ratio: string, projected: number, parsed: number],
): Group {
  const wholeClicks = millrace("Millrace, projection off", [`--flow=${programFile("whole-clicks-flow")}`]);
  const floor: Case = {
    case: `${name}-floor`,
    contender: "floor: the loop without Redis",
    measure: (run) => measureFloor(run, events),
  };
  const load = { transport: "pubsub", batch } as const;
  const compared = group(name, title, [
    counting(`${name}-bare-listener`, { load, events, contender: ioredis5 }),
    {
      ...counting(name, { load, events, contender: millrace("Millrace") }),
      targets: [{ ratio, atMost: projected }],
    },
    {
      ...counting(`${name}-whole`, { load, events, contender: wholeClicks }),
      targets: [{ ratio, atMost: parsed }],
    },
    floor,
  ]);
  return withRatio(compared, "ratioToFloor", floor.case);
}

function stream(name: string, title: string, events: number, batch: number): Group {
  const load = { transport: "stream", batch } as const;
  // Latency is the program's own if windows close at once.
  const atOnce = "--clock=publish:0ms";
  const off = (...args: readonly string[]): Contender =>
    millrace("Millrace, exactly-once off", ["--store=none", ...args]);
  const on = (...args: readonly string[]): Contender =>
    millrace("Millrace, exactly-once on", ["--sink=redis", ...args], "redis");
  return group(name, title, [
    counting(`${name}-bare-loop`, { load, events, contender: bareXread }),
    counting(`${name}-off`, { load, events, contender: off() }, off(atOnce)),
    {
      ...counting(`${name}-on`, { load, events, contender: on() }, on(atOnce)),
      ratios: [{ name: "rateToOff", of: "eventsPerCpuSecond", to: `${name}-off` }],
      targets: [{ ratio: "rateToOff", atLeast: 0.85 }],
    },
  ]);
}

/** @param whenTimed what latency is measured of */
function counting(name: string, job: Job, whenTimed: Contender = job.contender): Case {
  return {
    case: name,
    contender: job.contender.name,
    measure: (run) => measure(run, job),
    afterwards: (run) => measureLatency(run, { ...job, contender: whenTimed }),
  };
}

/** Cases over the same events; the first one is the loop written by hand. */
function group(name: string, title: string, cases: readonly Case[]): Group {
  return withRatio({ name, title, cases }, "ratioToBareListener", cases[0]?.case ?? "");
}

/** The CPU time of each case against that of one of them. */
function withRatio(given: Group, name: string, to: string): Group {
  const ratio = { name, of: "cpuMicrosPerEvent", to };
  return {
    ...given,
    cases: given.cases.map((each) => ({ ...each, ratios: [...(each.ratios ?? []), ratio] })),
  };
}
