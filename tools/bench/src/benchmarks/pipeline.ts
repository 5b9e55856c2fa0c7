import { startProgram } from "@millrace/local-redis/programs";
import { join } from "node:path";
import type { Benchmark, Group, Ratio } from "../benchmark.ts";
import { CHANNEL, FRAMES, LINES } from "../lab/bed.ts";
import type { Load } from "../lab/bed.ts";
import {
  AGGREGATOR,
  PUBLISHER,
  inputOf,
  millrace,
  ownProgram,
  programFile,
  selfMeasured,
  withListeners,
} from "../lab/programs.ts";
import { ROOT } from "../lab/tally.ts";

import { counting, WARM_UP_EVENTS } from "../lab/trial.ts";
import { CPU, CPU_RATE } from "../lab/usage.ts";
import { latencies } from "./latency.ts";
import { TO_BARE, ending, subscribing } from "./start.ts";

/** Events that the bare loop asks for at a time, about as many as the aggregator does. */
const XREAD_EVENTS = 1_024;
const TO_LOOP: Ratio = { heading: "to the bare loop", of: CPU, to: "loop" };

const listener = ownProgram("bare listener, ioredis 5.11", "bare-loop", ({ batch }) => [
  batch === undefined ? "lines" : "frames",
]);
const xread = ownProgram("bare XREAD loop", "bare-loop", ({ batch = 1 }) => ["frames", XREAD_EVENTS / batch]);
const ours = millrace("Millrace");
const wholeClicks = millrace("Millrace, projection off", [`--flow=${programFile("whole-clicks-flow")}`]);
const watched = withListeners(
  50,
  millrace("Millrace, page open, 50 listeners", ["--http=0", "--log-level=info"]),
);
const off = millrace("Millrace, exactly-once off", ["--store=none"]);
const on = millrace("Millrace, exactly-once on", ["--sink=redis"], "redis");

const STREAM_1: Load = { transport: "stream", batch: 1, events: 600_000 };
const STREAM_64: Load = { transport: "stream", batch: 64, events: 2_000_000 };

/** Publisher, Redis and aggregator, beside the loops that people write by hand. */
export const pipeline: Benchmark = {
  name: "pipeline",
  description: "Measures publisher, Redis and aggregator together, beside loops that people write by hand.",
  groups: [
    pubSub("pubsub-bare", "Pub/Sub, bare lines", LINES, [0.5], [0.9]),
    pubSub("pubsub-frames", "Pub/Sub, frames of 64", FRAMES, [undefined, 0.8], [undefined, 1.4]),
    stream("stream-1", "Streams, frames of 1", STREAM_1),
    stream("stream-64", "Streams, frames of 64", STREAM_64),
    {
      name: "start",
      title: "Starting a program",
      cases: [
        subscribing("start-bare", "bare ioredis, until it is subscribed", (bed) =>
          startProgram(programFile("bare-loop"), { args: [bed.url, CHANNEL, "lines"] }),
        ),
        subscribing(
          "start-aggregator",
          "aggregator, until it is subscribed",
          ({ env }) => startProgram(AGGREGATOR, { args: inputOf(LINES), env }),
          TO_BARE,
        ),
        ending("start-help", "aggregator --help", ({ env }) =>
          startProgram(AGGREGATOR, { args: ["--help"], env }),
        ),
        ending("start-run-help", "millrace run --help", ({ env }) =>
          startProgram(join(ROOT, "libs/millrace/dist/bin.js"), { args: ["run", "--help"], env }),
        ),
        ending("start-publisher", "publisher, one event", ({ env }) =>
          startProgram(PUBLISHER, {
            args: [...inputOf(LINES), "--generate=max", "--events=1", "--wait-for-subscriber=0"],
            env,
          }),
        ),
      ],
    },
    {
      name: "latency",
      title: "From the end of a window to its last row",
      cases: [
        ...latencies("lines", "Pub/Sub, bare lines", LINES),
        ...latencies("frames", "Pub/Sub, frames of 64", FRAMES),
        ...latencies("sharded", "sharded Pub/Sub, frames of 64", { ...FRAMES, transport: "sharded" }),
        ...latencies("stream-1", "Streams, frames of 1", STREAM_1),
        ...latencies("stream-64", "Streams, frames of 64", STREAM_64),
      ],
    },
  ],
};

/** What the ratios may be. */
type Bounds = readonly [toLoop: number | undefined, toFloor?: number];

function pubSub(name: string, title: string, load: Load, projected: Bounds, whole: Bounds): Group {
  const ratios = ([loop, floor]: Bounds): Ratio[] => [
    { ...TO_LOOP, atMost: loop },
    { heading: "to the floor", of: CPU, to: "floor", atMost: floor },
  ];
  return {
    name,
    title,
    cases: [
      counting("loop", load, listener),
      counting("millrace", load, ours, ...ratios(projected)),
      counting("whole", load, wholeClicks, ...ratios(whole)),
      counting("page", load, watched, { heading: "to no page", of: CPU, to: "millrace", atMost: 1.05 }),
      {
        name: "floor",
        contender: "floor: the loop without Redis",
        measure: ({ scale }) =>
          selfMeasured("floor", Math.ceil(WARM_UP_EVENTS * scale), Math.ceil(load.events * scale)),
      },
    ],
  };
}

function stream(name: string, title: string, load: Load): Group {
  const toOff: Ratio = { heading: "rate to off", of: CPU_RATE, to: "off", atLeast: 0.85 };
  return {
    name,
    title,
    cases: [
      counting("loop", load, xread),
      counting("off", load, off, TO_LOOP),
      counting("on", load, on, TO_LOOP, toOff),
    ],
  };
}
