import type { Benchmark } from "../benchmark.ts";
import type { Load } from "../lab/bed.ts";
import { selfMeasured } from "../lab/programs.ts";
import { CONTENDER, figures, RATE, targets, times } from "../table.ts";

const WAYS: readonly { name: string; title: string; load: Load; events: number }[] = [
  {
    name: "bare",
    title: "Publishing bare lines",
    load: { transport: "pubsub", batch: undefined },
    events: 1_000_000,
  },
  {
    name: "frames",
    title: "Publishing frames of 64",
    load: { transport: "pubsub", batch: 64 },
    events: 3_000_000,
  },
];

/** The publisher beside a loop written by hand, without a subscriber: how fast they send the same bytes. */
export const publisher: Benchmark = {
  name: "publisher",
  description:
    "Measures the publisher beside a pipeline loop that people write by hand, with the same bytes.",
  which: "how events are packed",
  names: WAYS.map(({ name }) => name),
  options: ["rounds", "scale"],
  columns: [CONTENDER, RATE, figures("to the bare loop", ["rateToBareLoop"], times), targets()],
  groups: async ({ bed: open, names, scale }) => {
    const bed = await open();
    return WAYS.filter(({ name }) => names.includes(name)).map(({ name, title, load, events: all }) => {
      const events = Math.round(all * scale);
      const loop = `${name}-loop`;
      return {
        title,
        cases: [
          {
            case: loop,
            contender: "bare ioredis pipeline loop",
            facts: { events },
            measure: () =>
              selfMeasured("bare-publisher", [bed.redis.url, bed.newChannel(), events, load.batch ?? 1]),
          },
          {
            case: name,
            contender: "Millrace's publisher",
            facts: { events },
            measure: async () => {
              const { perSecond } = await bed.publish(load, bed.newChannel(), events, { heard: false });
              return { eventsPerSecond: Number(perSecond) };
            },
            ratios: [{ name: "rateToBareLoop", of: "eventsPerSecond", to: loop }],
            targets: [{ ratio: "rateToBareLoop", atLeast: 0.9 }],
          },
        ],
      };
    });
  },
};
