import type { Benchmark, Group, Run } from "../benchmark.ts";
import { CHANNEL, FRAMES, LINES, withBed } from "../lab/bed.ts";
import type { Load } from "../lab/bed.ts";
import { publish, selfMeasured } from "../lab/programs.ts";
import { RATE } from "../lab/usage.ts";

/** The publisher beside a loop written by hand, without a subscriber: how fast they send the same bytes. */
export const publisher: Benchmark = {
  name: "publisher",
  description: "Measures the publisher beside a loop that people write by hand, with the same bytes.",
  groups: [
    sending("bare", "Publishing bare lines", LINES),
    sending("frames", "Publishing frames of 64", FRAMES),
  ],
};

function sending(name: string, title: string, load: Load): Group {
  const bare = {
    name: "loop",
    contender: "bare ioredis pipeline loop",
    measure: ({ scale }: Run) =>
      withBed(({ url }) =>
        selfMeasured("bare-publisher", url, CHANNEL, Math.ceil(load.events * scale), load.batch ?? 1),
      ),
  };
  const ours = {
    name: "millrace",
    contender: "Millrace's publisher",
    measure: ({ scale }: Run) =>
      withBed(async (bed) => ({
        [RATE]: await publish(bed, load, Math.ceil(load.events * scale), { wait: "0" }),
      })),
    ratios: [{ heading: "to the bare loop", of: RATE, to: "loop", atLeast: 0.9 }],
  };
  return { name, title, cases: [bare, ours] };
}
