import type { Benchmark, Case, Group } from "../benchmark.ts";
import { selfMeasured } from "../lab/programs.ts";
import { CONTENDER, figures, RATE, targets, times } from "../table.ts";

/** The publisher beside a loop written by hand, without a subscriber: how fast they send the same bytes. */
export const publisher: Benchmark = {
  name: "publisher",
  description:
    "Measures the publisher beside a pipeline loop that people write by hand, with the same bytes.",
  which: "how events are packed",
  options: ["rounds", "scale"],
  groups: [
    group("bare", "Publishing bare lines", undefined, 1_000_000),
    group("frames", "Publishing frames of 64", 64, 3_000_000),
  ],
  columns: [CONTENDER, RATE, figures("to the bare loop", ["rateToBareLoop"], times), targets()],
};

function group(name: string, title: string, batch: number | undefined, all: number): Group {
  const loop: Case = {
    case: `${name}-loop`,
    contender: "bare ioredis pipeline loop",
    measure: async (run) => {
      const bed = await run.bed();
      const args = [bed.redis.url, bed.newChannel(), Math.ceil(all * run.scale), batch ?? 1];
      return selfMeasured("bare-publisher", args);
    },
  };
  const own: Case = {
    case: name,
    contender: "Millrace's publisher",
    measure: async (run) => {
      const bed = await run.bed();
      const load = { transport: "pubsub", batch, heard: false } as const;
      return { eventsPerSecond: await bed.publish(load, bed.newChannel(), Math.ceil(all * run.scale)) };
    },
    ratios: [{ name: "rateToBareLoop", of: "eventsPerSecond", to: loop.case }],
    targets: [{ ratio: "rateToBareLoop", atLeast: 0.9 }],
  };
  return { name, title, cases: [loop, own] };
}
