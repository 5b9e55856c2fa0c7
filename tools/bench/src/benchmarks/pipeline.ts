import { group } from "../benchmark.ts";
import type { Benchmark, Case, Group, Ratio } from "../benchmark.ts";
import type { Load } from "../lab/bed.ts";
import { millrace, ownProgram } from "../lab/contenders.ts";
import { programFile } from "../lab/entry-files.ts";
import type { Contender } from "../lab/contenders.ts";
import { CPU, CPU_RATE, measure, measureFloor } from "../lab/trial.ts";

const MILLION = 1_000_000;
const LINES: Load = { transport: "pubsub", batch: undefined };
const FRAMES: Load = { transport: "pubsub", batch: 64 };
/** Events that the bare loop asks for at a time, about as many as the aggregator does. */
const XREAD_EVENTS = 1_024;

const bareLoop = (name: string, client: string): Contender =>
  ownProgram(name, "bare-loop", ({ batch }) =>
    batch === undefined ? ["lines", client] : ["frames", client, XREAD_EVENTS / batch],
  );
const listener = bareLoop("bare listener, ioredis 5.11", "ioredis5");
const xread = bareLoop("bare XREAD loop", "xread");
const ours = millrace("Millrace");
const wholeClicks = millrace("Millrace, projection off", [`--flow=${programFile("whole-clicks-flow")}`]);
const off = millrace("Millrace, exactly-once off", ["--store=none"]);
const on = millrace("Millrace, exactly-once on", ["--sink=redis"], "redis");

/** Publisher, Redis and aggregator, beside the loops that people write by hand. */
export const pipeline: Benchmark = {
  name: "pipeline",
  description: "Measures publisher, Redis and aggregator together, beside loops that people write by hand.",
  groups: [
    group("clients", "The bare listener by client library", [
      counting("clients-5", LINES, MILLION, listener),
      counting("clients-6", LINES, MILLION, bareLoop("ioredis 6 (RESP3)", "resp3"), toLoop("clients-5")),
      counting(
        "clients-6-resp2",
        LINES,
        MILLION,
        bareLoop("ioredis 6 (RESP2)", "resp2"),
        toLoop("clients-5"),
      ),
    ]),
    pubSub("pubsub-bare", "Pub/Sub, bare lines", MILLION, LINES, { loop: [0.9, 1.15] }),
    pubSub("pubsub-frames", "Pub/Sub, frames of 64", 3 * MILLION, FRAMES, { floor: [0.6, 1.4] }),
    stream("stream-1", "Streams, frames of 1", 600_000, 1),
    stream("stream-64", "Streams, frames of 64", 2 * MILLION, 64),
  ],
};

/** @param bounds what the ratio to loop or floor may be, with the projection and without */
function pubSub(
  name: string,
  title: string,
  events: number,
  load: Load,
  { loop = [], floor = [] }: Readonly<Partial<Record<"loop" | "floor", readonly number[]>>>,
): Group {
  const ratios = (index: number): readonly Ratio[] => [
    toLoop(`${name}-bare-listener`, loop[index]),
    { heading: "to the floor", of: CPU, to: `${name}-floor`, atMost: floor[index] },
  ];
  return group(name, title, [
    counting(`${name}-bare-listener`, load, events, listener),
    counting(name, load, events, ours, ...ratios(0)),
    counting(`${name}-whole`, load, events, wholeClicks, ...ratios(1)),
    {
      name: `${name}-floor`,
      contender: "floor: the loop without Redis",
      measure: (run) => measureFloor(run, events),
    },
  ]);
}

function stream(name: string, title: string, events: number, batch: number): Group {
  const load: Load = { transport: "stream", batch };
  const loop = toLoop(`${name}-bare-loop`);
  const rate: Ratio = { heading: "rate to off", of: CPU_RATE, to: `${name}-off`, atLeast: 0.85 };
  return group(name, title, [
    counting(`${name}-bare-loop`, load, events, xread),
    counting(`${name}-off`, load, events, off, loop),
    counting(`${name}-on`, load, events, on, loop, rate),
  ]);
}

function toLoop(to: string, atMost?: number): Ratio {
  return { heading: "to the bare loop", of: CPU, to, atMost };
}

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
};

function growing(choice: string, title: string, [small, large]: readonly [small: Case, large: Case]): Group {
  const ratio: Ratio = { heading: "to the small case", of: CPU, to: small.name, atMost: 1.2 };
  return group(choice, title, [small, { ...large, ratios: [ratio] }]);
}

function counting(name: string, load: Load, events: number, contender: Contender, ...ratios: Ratio[]): Case {
  return {
    name,
    contender: contender.name,
    measure: (run) => measure(run, { load, contender }, events),
    ratios,
  };
}
