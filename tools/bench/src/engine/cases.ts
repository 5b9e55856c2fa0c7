import {
  collectList,
  count,
  createWindowEngine,
  eventTime,
  session,
  sliding,
  tumbling,
} from "@millrace/windowing";
import type { Clock, WindowEngineOptions, Windower, WindowOutput } from "@millrace/windowing";
import {
  collectTumbling,
  countSessions,
  countSliding,
  countTumbling,
  orderedSum,
  tallyRow,
} from "./bare-loops.ts";
import type { Tally } from "./bare-loops.ts";
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
  /** Whether to measure what a large window costs to hold and to close, too. */
  readonly largeWindow?: boolean;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** System time, ms: all events arrived after they happened. */
export const NOW = 1_800_000_000_000;

const clock = (waitMs = 0): Clock<TimedEvent> => eventTime(({ ts }: TimedEvent) => ts, { wait: waitMs });

/** The engine over batches of events, to the end of input. */
function engine<A, R>(
  options: WindowEngineOptions<TimedEvent, A, R>,
  valueOf: (result: R) => number,
): EngineCase["engine"] {
  return (batches) => {
    const windows = createWindowEngine(options);
    const tally = { rows: 0, check: 0 };
    const take = ({ results, late, refused }: WindowOutput<TimedEvent, R>): void => {
      for (const { key, window, value } of results) tallyRow(tally, key, window.open, valueOf(value));
      if (late.length + refused.length > 0) throw new Error("An event in order was late or refused.");
    };
    for (const batch of batches) {
      const output = windows.process(batch, NOW);
      if (output.results.length > 0 || output.late.length > 0) take(output);
    }
    take(windows.finish("end"));
    return tally;
  };
}

/** Counts in windows of some kind. */
function counting(windower: Windower): EngineCase["engine"] {
  return engine({ windower, clock: clock(), fold: count() }, (total) => total);
}

/** Counts in windows side by side. */
function countTumblingCase(lengthMs: number): Pick<EngineCase, "bare" | "engine"> {
  return {
    bare: (batches) => countTumbling(batches, lengthMs),
    engine: counting(tumbling(lengthMs)),
  };
}

export const CASES: readonly EngineCase[] = [
  {
    name: "a",
    title: "1 key, count, tumbling 60 s",
    events: { events: 3_000_000, keys: 1, stepMs: SECOND },
    ...countTumblingCase(MINUTE),
    atMost: 2.5,
  },
  {
    name: "b",
    title: "2 keys, ordered lists, tumbling 60 s",
    events: { events: 1_000_000, keys: 2, stepMs: SECOND, disorderMs: 5 * SECOND },
    bare: (batches) => collectTumbling(batches, MINUTE),
    engine: engine(
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
    ...countTumblingCase(MINUTE),
    atMost: 2.5,
  },
  {
    name: "d",
    title: "1M keys, count, one window",
    events: { events: 2_000_000, keys: 1_000_000, stepMs: 1 },
    ...countTumblingCase(60 * MINUTE),
    atMost: 2,
    largeWindow: true,
  },
  {
    name: "e",
    title: "50 keys, count, sliding 10 s / 1 s",
    events: { events: 500_000, keys: 50, stepMs: 10 },
    bare: (batches) => countSliding(batches, 10 * SECOND, SECOND),
    engine: counting(sliding(10 * SECOND, { every: SECOND })),
  },
  {
    name: "f",
    title: "10k keys, count, sessions of gap 30 s, of about 100 events",
    events: { events: 1_000_000, keys: 10_000, activeKeys: 100, stepMs: 50 },
    bare: (batches) => countSessions(batches, 30 * SECOND),
    engine: counting(session(30 * SECOND)),
  },
  {
    name: "g",
    title: "50 keys, count, a window closes every 10 events",
    events: { events: 3_000_000, keys: 50, stepMs: SECOND },
    ...countTumblingCase(10 * SECOND),
  },
];
