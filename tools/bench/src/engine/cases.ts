import {
  collectList,
  count,
  EventClock,
  SessionWindower,
  SlidingWindower,
  TumblingWindower,
  type KeyedBatch,
} from "@millrace/windowing";

import {
  collectTumbling,
  countSessions,
  countSliding,
  countTumbling,
  orderedSum,
  type Tally,
} from "./bare-loops.ts";
import { makeBatches, type EventSpec, type TimedEvent } from "./events.ts";
import { runEngine } from "./run-engine.ts";

type Batches = readonly KeyedBatch<TimedEvent>[];

/** One comparison: the same events through a bare loop and through the engine. */
export interface BenchCase {
  readonly name: string;
  readonly events: EventSpec;
  readonly bare: (batches: Batches) => Tally;
  readonly engine: (batches: Batches) => Tally;
  /** The ratio to the bare loop that must not be exceeded; absent = told only. */
  readonly atMost?: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const clock = (waitMs = 0): EventClock<TimedEvent> =>
  new EventClock({ timestamp: ({ ts }: TimedEvent) => ts, waitMs });

function countCase(name: string, events: EventSpec, lengthMs: number, atMost?: number): BenchCase {
  const options = { windower: new TumblingWindower({ lengthMs }), clock: clock(), fold: count() };
  return {
    name,
    events,
    bare: (batches) => countTumbling(batches, lengthMs),
    engine: (batches) => runEngine(batches, options, (total) => total),
    ...(atMost === undefined ? {} : { atMost }),
  };
}

export const CASES: readonly BenchCase[] = [
  countCase("a: 1 key, count, tumbling 60 s", { events: 3_000_000, keys: 1, stepMs: SECOND }, MINUTE, 2.5),
  {
    name: "b: 2 keys, ordered lists, tumbling 60 s",
    events: { events: 1_000_000, keys: 2, stepMs: SECOND, disorderMs: 5 * SECOND },
    bare: (batches) => collectTumbling(batches, MINUTE),
    engine: (batches) =>
      runEngine(
        batches,
        {
          windower: new TumblingWindower({ lengthMs: MINUTE }),
          clock: clock(5 * SECOND),
          ordered: true,
          fold: collectList(({ ts }: TimedEvent) => ts),
        },
        orderedSum,
      ),
  },
  countCase("c: 50 keys, count, tumbling 60 s", { events: 3_000_000, keys: 50, stepMs: 10 }, MINUTE, 2.5),
  countCase(
    "d: 1M keys, count, one window",
    { events: 3_000_000, keys: 1_000_000, stepMs: 1 },
    60 * MINUTE,
    2,
  ),
  {
    name: "e: 50 keys, count, sliding 10 s / 1 s",
    events: { events: 500_000, keys: 50, stepMs: 10 },
    bare: (batches) => countSliding(batches, 10 * SECOND, SECOND),
    engine: (batches) =>
      runEngine(
        batches,
        {
          windower: new SlidingWindower({ lengthMs: 10 * SECOND, offsetMs: SECOND }),
          clock: clock(),
          fold: count(),
        },
        (total) => total,
      ),
  },
  {
    name: "f: 10k keys, count, sessions of gap 30 s, of about 100 events",
    events: { events: 1_000_000, keys: 10_000, activeKeys: 100, stepMs: 50 },
    bare: (batches) => countSessions(batches, 30 * SECOND),
    engine: (batches) =>
      runEngine(
        batches,
        { windower: new SessionWindower({ gapMs: 30 * SECOND }), clock: clock(), fold: count() },
        (total) => total,
      ),
  },
  countCase(
    "g: 50 keys, count, a window closes every 10 events",
    { events: 3_000_000, keys: 50, stepMs: SECOND },
    10 * SECOND,
  ),
];

export function batchesOf({ events }: BenchCase): Batches {
  return makeBatches(events);
}
