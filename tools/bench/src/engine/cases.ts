import * as windowing from "@millrace/windowing";
import type { WindowEngineOptions, Windower } from "@millrace/windowing";
import * as bare from "./bare-loops.ts";
import type { Batches, EventSpec, TimedEvent } from "./events.ts";

/** The same job as a bare loop and on the engine. */
interface Job {
  readonly bare: (batches: Batches) => bare.Tally;
  readonly engine: (batches: Batches) => bare.Tally;
}

/** `atMost`: the ratio to the bare loop that must not be exceeded. */
type EngineCase = readonly [name: string, title: string, events: EventSpec, job: Job, atMost?: number];

/** System time, ms: all events arrived after they happened. */
const NOW = 1_800_000_000_000;

export const CASES: readonly EngineCase[] = [
  ["a", "1 key, count, tumbling 60 s", { events: 3e6, keys: 1, stepMs: 1_000 }, tumbling(60_000), 2.5],
  [
    "b",
    "2 keys, ordered lists, tumbling 60 s",
    { events: 1e6, keys: 2, stepMs: 1_000, disorderMs: 5_000 },
    orderedLists(60_000, 5_000),
  ],
  ["c", "50 keys, count, tumbling 60 s", { events: 3e6, keys: 50, stepMs: 10 }, tumbling(60_000), 2.5],
  ["d", "1M keys, count, one window", { events: 2e6, keys: 1e6, stepMs: 1 }, tumbling(3_600_000), 2],
  ["e", "50 keys, count, sliding 10 s / 1 s", { events: 5e5, keys: 50, stepMs: 10 }, sliding(10_000, 1_000)],
  [
    "f",
    "10k keys, count, sessions of gap 30 s, of about 100 events",
    { events: 1e6, keys: 10_000, activeKeys: 100, stepMs: 50 },
    sessions(30_000),
  ],
  ["g", "50 keys, count, windows of 10 events", { events: 3e6, keys: 50, stepMs: 1_000 }, tumbling(10_000)],
];

function tumbling(ms: number): Job {
  return { bare: (batches) => bare.countTumbling(batches, ms), engine: counts(windowing.tumbling(ms)) };
}

function sliding(ms: number, every: number): Job {
  const windower = windowing.sliding(ms, { every });
  return { bare: (batches) => bare.countSliding(batches, ms, every), engine: counts(windower) };
}

function sessions(gapMs: number): Job {
  return { bare: (batches) => bare.countSessions(batches, gapMs), engine: counts(windowing.session(gapMs)) };
}

function orderedLists(ms: number, wait: number): Job {
  const clock = windowing.eventTime(({ ts }: TimedEvent) => ts, { wait });
  const fold = windowing.collectList(({ ts }: TimedEvent) => ts);
  const options = { windower: windowing.tumbling(ms), clock, ordered: true, fold };
  return { bare: (batches) => bare.collectTumbling(batches, ms), engine: engine(options, bare.orderedSum) };
}

function counts(windower: Windower): Job["engine"] {
  const clock = windowing.eventTime(({ ts }: TimedEvent) => ts, { wait: 0 });
  return engine({ windower, clock, fold: windowing.count() }, (total) => total);
}

/** The engine over batches of events, to the end of input. */
function engine<A, R>(
  options: WindowEngineOptions<TimedEvent, A, R>,
  valueOf: (result: R) => number,
): Job["engine"] {
  return (batches) => {
    const windows = windowing.createWindowEngine(options);
    const tally = new bare.Tally();
    const take = ({ results, late, refused }: ReturnType<typeof windows.process>): void => {
      for (const { key, window, value } of results) tally.add(key, window.open, valueOf(value));
      if (late.length + refused.length > 0) throw new Error("An event in order was late or refused.");
    };
    for (const batch of batches) take(windows.process(batch, NOW));
    take(windows.finish("end"));
    return tally;
  };
}
