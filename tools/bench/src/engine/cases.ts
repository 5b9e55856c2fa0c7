import {
  collectList,
  count,
  createWindowEngine,
  eventTime,
  session,
  sliding,
  tumbling,
} from "@millrace/windowing";
import type { WindowEngineOptions, Windower } from "@millrace/windowing";
import {
  collectTumbling,
  countSessions,
  countSliding,
  countTumbling,
  orderedSum,
  Tally,
} from "./bare-loops.ts";
import type { Batches, EventSpec, TimedEvent } from "./events.ts";

/** The same job as a bare loop and on the engine. */
interface Job {
  readonly bare: (batches: Batches) => Tally;
  readonly engine: (batches: Batches) => Tally;
}

/** `atMost`: the ratio to the bare loop that must not be exceeded. */
type EngineCase = readonly [name: string, title: string, events: EventSpec, job: Job, atMost?: number];

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** System time, ms: all events arrived after they happened. */
const NOW = 1_800_000_000_000;

export const CASES: readonly EngineCase[] = [
  ["a", "1 key, count, tumbling 60 s", { events: 3e6, keys: 1, stepMs: SECOND }, tumbled(MINUTE), 2.5],
  [
    "b",
    "2 keys, ordered lists, tumbling 60 s",
    { events: 1e6, keys: 2, stepMs: SECOND, disorderMs: 5 * SECOND },
    listed(MINUTE, 5 * SECOND),
  ],
  ["c", "50 keys, count, tumbling 60 s", { events: 3e6, keys: 50, stepMs: 10 }, tumbled(MINUTE), 2.5],
  ["d", "1M keys, count, one window", { events: 2e6, keys: 1e6, stepMs: 1 }, tumbled(60 * MINUTE), 2],
  [
    "e",
    "50 keys, count, sliding 10 s / 1 s",
    { events: 5e5, keys: 50, stepMs: 10 },
    slid(10 * SECOND, SECOND),
  ],
  [
    "f",
    "10k keys, count, sessions of gap 30 s, of about 100 events",
    { events: 1e6, keys: 10_000, activeKeys: 100, stepMs: 50 },
    inSessions(30 * SECOND),
  ],
  [
    "g",
    "50 keys, count, a window closes every 10 events",
    { events: 3e6, keys: 50, stepMs: SECOND },
    tumbled(10 * SECOND),
  ],
];

function tumbled(lengthMs: number): Job {
  return { bare: (batches) => countTumbling(batches, lengthMs), engine: counts(tumbling(lengthMs)) };
}

function slid(lengthMs: number, every: number): Job {
  return {
    bare: (batches) => countSliding(batches, lengthMs, every),
    engine: counts(sliding(lengthMs, { every })),
  };
}

function inSessions(gapMs: number): Job {
  return { bare: (batches) => countSessions(batches, gapMs), engine: counts(session(gapMs)) };
}

function listed(lengthMs: number, wait: number): Job {
  const clock = eventTime(({ ts }: TimedEvent) => ts, { wait });
  const fold = collectList(({ ts }: TimedEvent) => ts);
  return {
    bare: (batches) => collectTumbling(batches, lengthMs),
    engine: engine({ windower: tumbling(lengthMs), clock, ordered: true, fold }, orderedSum),
  };
}

function counts(windower: Windower): Job["engine"] {
  return engine({ windower, clock: eventTime(({ ts }) => ts, { wait: 0 }), fold: count() }, (total) => total);
}

/** The engine over batches of events, to the end of input. */
function engine<A, R>(
  options: WindowEngineOptions<TimedEvent, A, R>,
  valueOf: (result: R) => number,
): Job["engine"] {
  return (batches) => {
    const windows = createWindowEngine(options);
    const tally = new Tally();
    const take = ({ results, late, refused }: ReturnType<typeof windows.process>): void => {
      for (const { key, window, value } of results) tally.add(key, window.open, valueOf(value));
      if (late.length + refused.length > 0) throw new Error("An event in order was late or refused.");
    };
    for (const batch of batches) take(windows.process(batch, NOW));
    take(windows.finish("end"));
    return tally;
  };
}
