import { describe, expect, test } from "@jest/globals";

import {
  FoldValueError,
  WindowEventError,
  aggregate,
  collectList,
  count,
  createWindowEngine,
  foldOf,
  eventTime,
  session,
  sliding,
  sum,
  systemTime,
  tumbling,
  type WindowEngineOptions,
} from "../src/index.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";

const tumblingWindows = tumbling(10);
const slidingWindows = sliding(10, { every: 5 });
const sessions = session(5);
const total = sum(({ value }: TestEvent) => value);
const bad = (ts: number, key = "a"): TestEvent => event(ts, key, Number.NaN);

type Options = WindowEngineOptions<TestEvent, unknown, unknown>;
const base: Options = { windower: tumblingWindows, clock: eventClock(100), fold: total, onError: "skip" };

/** Every kind of engine and loop. */
const engines: readonly (readonly [string, Partial<Options>])[] = [
  ["tumbling windows", {}],
  ["sliding windows", { windower: slidingWindows }],
  ["windows with late results", { windower: slidingWindows, allowedLateness: 50 }],
  ["windows with early results", { earlyEvery: 10 }],
  ["ordered windows", { ordered: true }],
  ["sessions", { windower: sessions }],
  ["ordered sessions", { windower: sessions, ordered: true }],
  ["a bound on keys", { maxKeysPerWindow: 1 }],
  ["perKey", { timeModel: "perKey" }],
  ["perKey, ordered", { timeModel: "perKey", ordered: true }],
  ["perKey with sessions", { timeModel: "perKey", windower: sessions }],
];

describe("an event that the fold cannot take", () => {
  test.each(engines)("is skipped, and nothing else is changed by it: %s", (_, given) => {
    const options = { ...base, ...given };
    const good = [event(1), event(3, "b", 2), event(3, "a", 3), event(12, "a", 4), event(13, "b", 5)];
    const withBad = [
      bad(0),
      ...good.slice(0, 2),
      bad(2, "c"),
      bad(7),
      ...good.slice(2),
      bad(8, "b"),
      bad(17),
    ];
    const [driver, clean] = [new EngineDriver(options), new EngineDriver(options)];
    driver.process(batch(...withBad), 0);
    clean.process(batch(...good), 0);
    expect(driver.engine.stats()).toMatchObject({ ...clean.engine.stats(), skipped: 5, ...anyWindows() });
    expect(driver.skipped.map(({ key, value: { ts } }) => [key, ts])).toEqual([
      ["a", 0],
      ["c", 2],
      ["a", 7],
      ["b", 8],
      ["a", 17],
    ]);
    expect(driver.skipped.every(({ error }) => error instanceof FoldValueError)).toBe(true);
    driver.restart(0);
    expect(driver.finish()).toEqual(clean.finish());
  });

  /** A bad event may open a window for nothing, and lifts the watermark by its time. */
  function anyWindows(): Record<string, unknown> {
    return {
      windows: expect.any(Number),
      approximateBytes: expect.any(Number),
      watermark: expect.any(Number),
    };
  }

  test.each(engines)("is an error with key, value and cause, unless it may be skipped: %s", (_, given) => {
    const engine = createWindowEngine({ ...base, ...given, onError: "fail" });
    const events = [event(1), bad(2, "b"), event(3)];
    let thrown: unknown;
    try {
      engine.process(batch(...events), 0);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(WindowEventError);
    expect(thrown).toMatchObject({ key: "b", value: events[1], cause: expect.any(FoldValueError) });
    expect(String(thrown)).toContain("sum takes finite numbers, and got NaN");
  });

  test("is late if its windows have closed: its value is not checked", () => {
    const driver = new EngineDriver({ ...base, clock: eventClock() });
    driver.process(batch(event(100), bad(5)), 0);
    expect(driver.engine.stats()).toMatchObject({ counted: 1, late: 1, skipped: 0 });
  });

  test("advances the watermark: it closes the windows before it", () => {
    const driver = new EngineDriver({ ...base, clock: eventClock() });
    expect(driver.process(batch(event(1), bad(10)), 0)).toMatchObject([{ value: 1 }]);
  });

  test("does not affect the rest of its batch, even if there are many", () => {
    const driver = new EngineDriver({ ...base, clock: systemTime() });
    const events = Array.from({ length: 50_000 }, (_, index) => (index % 2 === 0 ? bad(0) : event(0)));
    driver.process({ keys: events.map(({ key }) => key), values: events }, 0);
    expect(driver.engine.stats()).toMatchObject({ counted: 25_000, skipped: 25_000 });
    expect(driver.finish()).toMatchObject([{ value: 25_000 }]);
  });

  test("does not join two sessions that it touches", () => {
    const driver = new EngineDriver({ ...base, windower: sessions });
    driver.process(batch(event(1), event(10), bad(6), bad(3)), 0);
    expect(driver.finish().map(({ value, window: { open, close } }) => [value, open, close])).toEqual([
      [1, 1, 1],
      [1, 10, 10],
    ]);
  });

  test("in an aggregate is in none of its folds, in none of its windows", () => {
    const fold = aggregate({
      events: count(),
      list: collectList(({ value }: TestEvent) => value),
      total,
    });
    const driver = new EngineDriver({ ...base, windower: slidingWindows, fold });
    driver.process(batch(event(6, "a", 1), bad(6), event(7, "a", 2)), 0);
    const value = { events: 2, list: [1, 2], total: 3 };
    expect(driver.finish()).toMatchObject([{ value }, { value }]);
  });

  test("and the clock cannot read is skipped too", () => {
    const clock = eventTime(
      ({ ts }: TestEvent) => {
        if (ts < 0) throw new Error("no time");
        return ts;
      },
      { wait: 0 },
    );
    for (const windower of [tumblingWindows, slidingWindows, sessions]) {
      const driver = new EngineDriver({ ...base, windower, clock });
      driver.process(batch(event(6), event(-1), event(7)), 0);
      expect(driver.skipped).toMatchObject([{ error: new Error("no time") }]);
      expect(driver.engine.stats()).toMatchObject({ counted: 2, skipped: 1 });
    }
  });
});

describe("an error in the middle of an event", () => {
  /** Throws for what the accumulator holds, which a fold must not. */
  const full = foldOf({
    create: (): number[] => [],
    add(values, { value }: TestEvent) {
      if (values.length > 0) throw new Error("full");
      return [...values, value];
    },
    merge: (earlier, later) => [...earlier, ...later],
  });
  const run = (options: Partial<Options>, ...events: readonly TestEvent[]): void => {
    createWindowEngine({ ...base, ...options }).process(batch(...events), 0);
  };

  test("is never skipped if one window has the event and another has not", () => {
    expect(() => {
      run({ fold: full, windower: slidingWindows }, event(11), event(6));
    }).toThrow(WindowEventError);
    expect(() => {
      run({ fold: full, windower: slidingWindows, allowedLateness: 5 }, event(11), event(6));
    }).toThrow(WindowEventError);
  });

  test("is never skipped if one fold of an aggregate has the event and another has not", () => {
    expect(() => {
      run({ fold: aggregate({ events: full, more: full }) }, event(1));
    }).not.toThrow();
    const fold = aggregate({ list: foldOf({ ...counting }), full });
    expect(() => {
      run({ fold }, event(1), event(2));
    }).toThrow("full");
  });

  test("is never skipped if a row cannot be made, which is not an error of the current event", () => {
    const fold = { ...total, result: () => notMade() };
    expect(() => {
      run({ fold, clock: eventClock(), allowedLateness: 5 }, event(1), event(10));
    }).toThrow("not made");
    expect(() => {
      run({ fold, clock: eventClock(), windower: sessions }, event(1), event(10));
    }).toThrow("not made");
    const matching = { ...total, match: () => notMade() };
    expect(() => {
      run({ fold: matching }, event(1));
    }).toThrow("not made");
    expect(() => {
      run({ fold: matching, windower: sessions }, event(1));
    }).toThrow("not made");
  });

  const counting = {
    create: (): number[] => [0],
    add: ([times = 0]: number[]): number[] => [times + 1],
    merge: ([a = 0]: number[], [b = 0]: number[]): number[] => [a + b],
  };

  function notMade(): never {
    throw new Error("not made");
  }
});
