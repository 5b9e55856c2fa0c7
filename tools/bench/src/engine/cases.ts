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

/** One comparison: the same events through a bare loop and through the engine. */
export interface EngineCase {
  /** A letter. */
  readonly name: string;
  readonly title: string;
  readonly events: EventSpec;
  readonly bare: (batches: Batches) => Tally;
  readonly engine: (batches: Batches) => Tally;
  /** The ratio to the bare loop that must not be exceeded. `@default no target` */
  readonly atMost?: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** System time, ms: all events arrived after they happened. */
const NOW = 1_800_000_000_000;

export const CASES: readonly EngineCase[] = [
  {
    name: "a",
    title: "1 key, count, tumbling 60 s",
    events: { events: 3_000_000, keys: 1, stepMs: SECOND },
    bare: (batches) => countTumbling(batches, MINUTE),
    engine: counts(tumbling(MINUTE)),
    atMost: 2.5,
  },
  {
    name: "b",
    title: "2 keys, ordered lists, tumbling 60 s",
    events: { events: 1_000_000, keys: 2, stepMs: SECOND, disorderMs: 5 * SECOND },
    bare: (batches) => collectTumbling(batches, MINUTE),
    engine: orderedLists(tumbling(MINUTE), 5 * SECOND),
  },
  {
    name: "c",
    title: "50 keys, count, tumbling 60 s",
    events: { events: 3_000_000, keys: 50, stepMs: 10 },
    bare: (batches) => countTumbling(batches, MINUTE),
    engine: counts(tumbling(MINUTE)),
    atMost: 2.5,
  },
  {
    name: "d",
    title: "1M keys, count, one window",
    events: { events: 2_000_000, keys: 1_000_000, stepMs: 1 },
    bare: (batches) => countTumbling(batches, 60 * MINUTE),
    engine: counts(tumbling(60 * MINUTE)),
    atMost: 2,
  },
  {
    name: "e",
    title: "50 keys, count, sliding 10 s / 1 s",
    events: { events: 500_000, keys: 50, stepMs: 10 },
    bare: (batches) => countSliding(batches, 10 * SECOND, SECOND),
    engine: counts(sliding(10 * SECOND, { every: SECOND })),
  },
  {
    name: "f",
    title: "10k keys, count, sessions of gap 30 s, of about 100 events",
    events: { events: 1_000_000, keys: 10_000, activeKeys: 100, stepMs: 50 },
    bare: (batches) => countSessions(batches, 30 * SECOND),
    engine: counts(session(30 * SECOND)),
  },
  {
    name: "g",
    title: "50 keys, count, a window closes every 10 events",
    events: { events: 3_000_000, keys: 50, stepMs: SECOND },
    bare: (batches) => countTumbling(batches, 10 * SECOND),
    engine: counts(tumbling(10 * SECOND)),
  },
];

function counts(windower: Windower): EngineCase["engine"] {
  return engine({ windower, clock: eventTime(({ ts }) => ts, { wait: 0 }), fold: count() }, (total) => total);
}

function orderedLists(windower: Windower, waitMs: number): EngineCase["engine"] {
  const clock = eventTime(({ ts }: TimedEvent) => ts, { wait: waitMs });
  return engine({ windower, clock, ordered: true, fold: collectList(({ ts }) => ts) }, orderedSum);
}

/** The engine over batches of events, to the end of input. */
function engine<A, R>(
  options: WindowEngineOptions<TimedEvent, A, R>,
  valueOf: (result: R) => number,
): EngineCase["engine"] {
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
