import type { Benchmark, Case, Group } from "../benchmark.ts";
import type { Load } from "../lab/bed.ts";
import { millrace, ownProgram, programFile } from "../lab/programs.ts";
import type { Contender } from "../lab/programs.ts";
import { measure, measureFloor, measureLatency } from "../lab/trial.ts";
import { CONTENDER, CPU, figures, PEAK, RATE, readable, targets, times } from "../table.ts";

const MILLION = 1_000_000;
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
    group(
      "clients",
      "The bare listener by client library",
      MILLION,
      { transport: "pubsub", batch: undefined },
      [
        { suffix: "ioredis5", contender: ioredis5 },
        { suffix: "ioredis6", contender: bareListener("ioredis6", "ioredis 6 (RESP3)") },
        { suffix: "ioredis6-resp2", contender: bareListener("ioredis6-resp2", "ioredis 6 with RESP2") },
      ],
    ),
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
  const { cases, ...rest } = group(name, title, events, { transport: "pubsub", batch }, [
    { suffix: "bare-listener", contender: ioredis5 },
    { contender: millrace("Millrace"), targets: [{ ratio, atMost: projected }] },
    { suffix: "whole", contender: wholeClicks, targets: [{ ratio, atMost: parsed }] },
  ]);
  const floor: Case = {
    case: `${name}-floor`,
    contender: "floor: the loop without Redis",
    measure: (run) => measureFloor(run, events),
  };
  const ratioToFloor = { name: "ratioToFloor", of: "cpuMicrosPerEvent", to: floor.case };
  const toListener = cases[0]?.ratios ?? [];
  const all = [...cases, { ...floor, ratios: toListener }];
  return { ...rest, cases: all.map((each) => ({ ...each, ratios: [...(each.ratios ?? []), ratioToFloor] })) };
}

function stream(name: string, title: string, events: number, batch: number): Group {
  const off = (...args: readonly string[]): Contender =>
    millrace("Millrace, exactly-once off", ["--store=none", ...args]);
  const on = (...args: readonly string[]): Contender =>
    millrace("Millrace, exactly-once on", ["--sink=redis", ...args], "redis");
  const atOnce = "--clock=publish:0ms";
  return group(name, title, events, { transport: "stream", batch }, [
    { suffix: "bare-loop", contender: bareXread },
    { suffix: "off", contender: off(), whenTimed: off(atOnce) },
    {
      suffix: "on",
      contender: on(),
      whenTimed: on(atOnce),
      ratios: [{ name: "rateToOff", of: "eventsPerCpuSecond", to: `${name}-off` }],
      targets: [{ ratio: "rateToOff", atLeast: 0.85 }],
    },
  ]);
}

interface Entry extends Pick<Case, "ratios" | "targets"> {
  /** Of the case, after the name of the group. */
  readonly suffix?: string;
  readonly contender: Contender;
  /** With options that make windows close at once, so that latency is the program's own. */
  readonly whenTimed?: Contender;
}

/** Contenders over the same events; the first one is the loop written by hand. */
function group(name: string, title: string, events: number, load: Load, entries: readonly Entry[]): Group {
  const nameOf = ({ suffix }: Entry): string => (suffix === undefined ? name : `${name}-${suffix}`);
  const ratioToBareListener = entries
    .slice(0, 1)
    .map((bare) => ({ name: "ratioToBareListener", of: "cpuMicrosPerEvent", to: nameOf(bare) }));
  const cases = entries.map((entry): Case => {
    const { contender, whenTimed = contender, ratios = [], targets: bounds } = entry;
    return {
      case: nameOf(entry),
      contender: contender.name,
      measure: (run) => measure(run, { load, contender, events }),
      afterwards: (run) => measureLatency(run, { load, contender: whenTimed }),
      ratios: [...ratioToBareListener, ...ratios],
      ...(bounds && { targets: bounds }),
    };
  });
  return { name, title, cases };
}
