import { group } from "../benchmark.ts";
import type { Benchmark, Case, Group } from "../benchmark.ts";
import type { Load } from "../lab/bed.ts";
import { millrace, ownProgram, programFile } from "../lab/contenders.ts";
import type { Contender } from "../lab/contenders.ts";
import { measure, measureFloor } from "../lab/trial.ts";
import { CONTENDER, CPU, figures, PEAK, RATE, targets, times } from "../table.ts";

const MILLION = 1_000_000;
/** Events that the bare loop asks for at a time, about as many as the aggregator does. */
const XREAD_EVENTS = 1_024;
const LINES: Load = { transport: "pubsub", batch: undefined };
const FRAMES: Load = { transport: "pubsub", batch: 64 };
const TO_BARE_LOOP = { name: "ratioToBareListener", of: "cpuMicrosPerEvent" };

const bareListener = (client: string, name: string): Contender =>
  ownProgram(`bare listener, ${name}`, "bare-listener", ({ batch }) => [
    batch === undefined ? "bare" : "frames",
    client,
  ]);
const ioredis5 = bareListener("ioredis5", "ioredis 5.11");

/** Publisher, Redis and aggregator, beside the loops that people write by hand. */
export const pipeline: Benchmark = {
  name: "pipeline",
  description:
    "Measures publisher, Redis and aggregator together, beside the loops that people write by hand.",
  groups: [
    group("clients", "The bare listener by client library", TO_BARE_LOOP, [
      counting("clients-ioredis5", LINES, MILLION, ioredis5),
      counting("clients-ioredis6", LINES, MILLION, bareListener("ioredis6", "ioredis 6 (RESP3)")),
      counting(
        "clients-ioredis6-resp2",
        LINES,
        MILLION,
        bareListener("ioredis6-resp2", "ioredis 6 with RESP2"),
      ),
    ]),
    pubSub("pubsub-bare", "Pub/Sub, bare lines", MILLION, LINES, ["ratioToBareListener", 0.9, 1.15]),
    pubSub("pubsub-frames", "Pub/Sub, frames of 64", 3 * MILLION, FRAMES, ["ratioToFloor", 0.6, 1.4]),
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
    PEAK,
  ],
};

/** Whether the cost of an event stays the same as things grow: within a fifth. */
export const scale: Benchmark = {
  name: "scale",
  description: "Shows whether an event costs the same when there are more of them, or more partitions.",
  groups: [
    growing("events", "From 1 to 10 million events", [
      counting("events-1M", LINES, MILLION, millrace("1 million events")),
      counting("events-10M", LINES, 10 * MILLION, millrace("10 million events")),
    ]),
    growing("partitions", "From 1 to 64 partitions, bare lines", [
      counting("partitions-1", LINES, MILLION, millrace("1 partition")),
      counting("partitions-64", { ...LINES, partitions: 64 }, MILLION, millrace("64 partitions")),
    ]),
    growing("partitions-frames", "From 1 to 64 partitions, frames of 64", [
      counting("partitions-frames-1", FRAMES, 3 * MILLION, millrace("1 partition")),
      counting("partitions-frames-64", { ...FRAMES, partitions: 64 }, 3 * MILLION, millrace("64 partitions")),
    ]),
  ],
  columns: [CONTENDER, CPU, figures("to the small case", ["ratioToSmall"], times), targets(), RATE, PEAK],
};

function growing(choice: string, title: string, [small, large]: readonly [small: Case, large: Case]): Group {
  const target = { ratio: "ratioToSmall", atMost: 1.2 };
  const ratio = { name: target.ratio, of: "cpuMicrosPerEvent" };
  return group(choice, title, ratio, [small, { ...large, targets: [target] }]);
}

/** @param bounds a ratio, and the most that it may be with the projection and without */
function pubSub(
  name: string,
  title: string,
  events: number,
  load: Load,
  [ratio, projected, parsed]: readonly [ratio: string, projected: number, parsed: number],
): Group {
  const toFloor = { name: "ratioToFloor", of: "cpuMicrosPerEvent", to: `${name}-floor` };
  const wholeClicks = millrace("Millrace, projection off", [`--flow=${programFile("whole-clicks-flow")}`]);
  const cases: readonly Case[] = [
    counting(`${name}-bare-listener`, load, events, ioredis5),
    { ...counting(name, load, events, millrace("Millrace")), targets: [{ ratio, atMost: projected }] },
    { ...counting(`${name}-whole`, load, events, wholeClicks), targets: [{ ratio, atMost: parsed }] },
    {
      name: toFloor.to,
      contender: "floor: the loop without Redis",
      measure: (run) => measureFloor(run, events),
    },
  ];
  return group(
    name,
    title,
    TO_BARE_LOOP,
    cases.map((each) => ({ ...each, ratios: [toFloor] })),
  );
}

function stream(name: string, title: string, events: number, batch: number): Group {
  const load: Load = { transport: "stream", batch };
  const bareXread = ownProgram("bare XREAD loop", "bare-xread", () => [
    Math.max(Math.floor(XREAD_EVENTS / batch), 1),
  ]);
  const off = millrace("Millrace, exactly-once off", ["--store=none"]);
  const on = millrace("Millrace, exactly-once on", ["--sink=redis"], "redis");
  return group(name, title, TO_BARE_LOOP, [
    counting(`${name}-bare-loop`, load, events, bareXread),
    counting(`${name}-off`, load, events, off),
    {
      ...counting(`${name}-on`, load, events, on),
      ratios: [{ name: "rateToOff", of: "eventsPerCpuSecond", to: `${name}-off` }],
      targets: [{ ratio: "rateToOff", atLeast: 0.85 }],
    },
  ]);
}

function counting(name: string, load: Load, events: number, contender: Contender): Case {
  return {
    name: name,
    contender: contender.name,
    measure: (run) => measure(run, { load, contender }, events),
  };
}
