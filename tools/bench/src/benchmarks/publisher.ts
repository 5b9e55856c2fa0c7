import { group } from "../benchmark.ts";
import type { Benchmark, Group } from "../benchmark.ts";
import { CHANNEL, publish, withBed } from "../lab/bed.ts";
import { selfMeasured } from "../lab/contenders.ts";
import { RATE } from "../lab/trial.ts";

/** The publisher beside a loop written by hand, without a subscriber: how fast they send the same bytes. */
export const publisher: Benchmark = {
  name: "publisher",
  description:
    "Measures the publisher beside a pipeline loop that people write by hand, with the same bytes.",
  groups: [
    sending("bare", "Publishing bare lines", undefined, 1_000_000),
    sending("frames", "Publishing frames of 64", 64, 3_000_000),
  ],
};

function sending(name: string, title: string, batch: number | undefined, all: number): Group {
  return group(name, title, [
    {
      name: `${name}-loop`,
      contender: "bare ioredis pipeline loop",
      measure: ({ scale }) =>
        withBed(({ url }) =>
          selfMeasured("bare-publisher", [url, CHANNEL, Math.ceil(all * scale), batch ?? 1]),
        ),
    },
    {
      name,
      contender: "Millrace's publisher",
      measure: ({ scale }) =>
        withBed(async (bed) => {
          const load = { transport: "pubsub", batch } as const;
          return { [RATE]: await publish(bed, load, Math.ceil(all * scale), { wait: "0" }) };
        }),
      ratios: [{ heading: "to the bare loop", of: RATE, to: `${name}-loop`, atLeast: 0.9 }],
    },
  ]);
}
