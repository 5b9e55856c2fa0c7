import {
  collectList,
  count,
  eventTime,
  session,
  sliding,
  tumbling,
  type KeyedBatch,
} from "@millrace/windowing";
import type { Clock } from "@millrace/windowing";

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
  /** A letter. */
  readonly name: string;
  readonly title: string;
  readonly events: EventSpec;
  readonly bare: (batches: Batches) => Tally;
  readonly engine: (batches: Batches) => Tally;
  /** The ratio to the bare loop that must not be exceeded; absent = told only. */
  readonly atMost?: number;
  /** Whether to measure what a large window costs to hold and to close, too. */
  readonly largeWindow?: boolean;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const clock = (waitMs = 0): Clock<TimedEvent> => eventTime(({ ts }: TimedEvent) => ts, { wait: waitMs });

/** Counts in windows side by side: what the bare loop and the engine do is told by the length alone. */
function countCase(lengthMs: number): Pick<BenchCase, "bare" | "engine"> {
  const options = { windower: tumbling(lengthMs), clock: clock(), fold: count() };
  return {
    bare: (batches) => countTumbling(batches, lengthMs),
    engine: (batches) => runEngine(batches, options, (total) => total),
  };
}

export const CASES: readonly BenchCase[] = [
  {
    name: "a",
    title: "1 key, count, tumbling 60 s",
    events: { events: 3_000_000, keys: 1, stepMs: SECOND },
    ...countCase(MINUTE),
    atMost: 2.5,
  },
  {
    name: "b",
    title: "2 keys, ordered lists, tumbling 60 s",
    events: { events: 1_000_000, keys: 2, stepMs: SECOND, disorderMs: 5 * SECOND },
    bare: (batches) => collectTumbling(batches, MINUTE),
    engine: (batches) =>
      runEngine(
        batches,
        {
          windower: tumbling(MINUTE),
          clock: clock(5 * SECOND),
          ordered: true,
          fold: collectList(({ ts }: TimedEvent) => ts),
        },
        orderedSum,
      ),
  },
  {
    name: "c",
    title: "50 keys, count, tumbling 60 s",
    events: { events: 3_000_000, keys: 50, stepMs: 10 },
    ...countCase(MINUTE),
    atMost: 2.5,
  },
  {
    name: "d",
    title: "1M keys, count, one window",
    events: { events: 2_000_000, keys: 1_000_000, stepMs: 1 },
    ...countCase(60 * MINUTE),
    atMost: 2,
    largeWindow: true,
  },
  {
    name: "e",
    title: "50 keys, count, sliding 10 s / 1 s",
    events: { events: 500_000, keys: 50, stepMs: 10 },
    bare: (batches) => countSliding(batches, 10 * SECOND, SECOND),
    engine: (batches) =>
      runEngine(
        batches,
        {
          windower: sliding(10 * SECOND, { every: SECOND }),
          clock: clock(),
          fold: count(),
        },
        (total) => total,
      ),
  },
  {
    name: "f",
    title: "10k keys, count, sessions of gap 30 s, of about 100 events",
    events: { events: 1_000_000, keys: 10_000, activeKeys: 100, stepMs: 50 },
    bare: (batches) => countSessions(batches, 30 * SECOND),
    engine: (batches) =>
      runEngine(batches, { windower: session(30 * SECOND), clock: clock(), fold: count() }, (total) => total),
  },
  {
    name: "g",
    title: "50 keys, count, a window closes every 10 events",
    events: { events: 3_000_000, keys: 50, stepMs: SECOND },
    ...countCase(10 * SECOND),
  },
];

export function batchesOf({ events }: BenchCase): Batches {
  return makeBatches(events);
}
