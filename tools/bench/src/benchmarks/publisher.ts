import { group } from "../benchmark.ts";
import type { Benchmark, Group } from "../benchmark.ts";
import { CHANNEL, publish, withBed } from "../lab/bed.ts";
import type { Load } from "../lab/bed.ts";
import { selfMeasured } from "../lab/contenders.ts";
import { CONTENDER, figures, RATE, targets, times } from "../table.ts";

/** The publisher beside a loop written by hand, without a subscriber: how fast they send the same bytes. */
export const publisher: Benchmark = {
  name: "publisher",
  description:
    "Measures the publisher beside a pipeline loop that people write by hand, with the same bytes.",
  groups: [
    sending("bare", "Publishing bare lines", undefined, 1_000_000),
    sending("frames", "Publishing frames of 64", 64, 3_000_000),
  ],
  columns: [CONTENDER, RATE, figures("to the bare loop", ["rateToBareLoop"], times), targets()],
};

function sending(name: string, title: string, batch: number | undefined, all: number): Group {
  const load: Load = { transport: "pubsub", batch };
  return group(name, title, { name: "rateToBareLoop", of: "eventsPerSecond" }, [
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
        withBed(async (bed) => ({
          eventsPerSecond: await publish(bed, load, Math.ceil(all * scale), { wait: "0" }),
        })),
      targets: [{ ratio: "rateToBareLoop", atLeast: 0.9 }],
    },
  ]);
}
