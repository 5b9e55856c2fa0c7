import { describe, expect, test } from "@jest/globals";

import {
  collectList,
  count,
  createWindowEngine,
  distinct,
  session,
  tumbling,
  type KeyedBatch,
  type WindowEngineOptions,
} from "../src/index.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";

const tumblingWindows = tumbling(10);
const sessions = session(5);
type Options = WindowEngineOptions<TestEvent, number, number>;

describe("keys per window", () => {
  test.each<readonly [string, Partial<Options>]>([
    ["tumbling windows", { windower: tumblingWindows }],
    ["windows kept for late events", { windower: tumblingWindows, allowedLateness: 5 }],
    ["sessions", { windower: sessions }],
    ["keys of perKey", { windower: tumblingWindows, timeModel: "perKey" }],
  ])("events above the limit count under the overflow key: %s", (_, given) => {
    const driver = new EngineDriver<TestEvent, number, number>({
      windower: tumblingWindows,
      clock: eventClock(),
      fold: count(),
      maxKeysPerWindow: 2,
      overflowKey: "rest",
      ...given,
    });
    driver.process(batch(...["a", "b", "c", "d", "a", "c"].map((key) => event(1, key))), 0);
    expect(driver.engine.stats()).toMatchObject({ counted: 6, overflowed: 3, cells: 3 });
    const rows = driver.finish().map(({ key, value }) => [key, value]);
    expect(rows.sort()).toEqual([
      ["a", 2],
      ["b", 1],
      ["rest", 3],
    ]);
  });

  test.each<readonly [string, Partial<Options>]>([
    ["tumbling windows", { windower: tumblingWindows }],
    ["windows kept for late events", { windower: tumblingWindows, allowedLateness: 5 }],
    ["sessions", { windower: sessions }],
    ["keys of perKey", { windower: tumblingWindows, timeModel: "perKey" }],
  ])("all windows share one limit, also after a restart: %s", (_, given) => {
    const driver = new EngineDriver<TestEvent, number, number>({
      windower: tumblingWindows,
      clock: eventClock(100),
      fold: count(),
      maxKeys: 3,
      ...given,
    });
    driver.process(batch(event(1, "a"), event(2, "b"), event(41, "c")), 0);
    driver.restart();
    driver.process(batch(event(42, "d"), event(43, "e")), 0);
    driver.restart();
    driver.process(batch(event(3, "a"), event(44, "f")), 0);
    const { counted, overflowed, cells } = driver.engine.stats();
    expect({ counted, overflowed, cells }).toEqual({ counted: 7, overflowed: 3, cells: 4 });
    const rows = driver.finish().map(({ key, value }) => [key, value]);
    expect(rows.sort()).toEqual([
      ["(overflow)", 3],
      ["a", 2],
      ["b", 1],
      ["c", 1],
    ]);
  });

  test("each window has its own limit of keys", () => {
    const driver = new EngineDriver({
      windower: tumblingWindows,
      clock: eventClock(),
      fold: count(),
      maxKeysPerWindow: 1,
    });
    driver.process(batch(event(1, "a"), event(11, "b"), event(12, "c")), 0);
    driver.finish();
    expect(driver.results.map(({ key }) => key)).toEqual(["a", "b", "(overflow)"]);
  });
});

describe("pages", () => {
  test("no call emits more closing rows than pageSize", () => {
    const engine = createWindowEngine({
      windower: tumblingWindows,
      clock: eventClock(),
      fold: count(),
      pageSize: 3,
    });
    const events = Array.from({ length: 10 }, (_, index) => event(index, `key-${String(index)}`));
    const sizes = [engine.process(batch(...events, event(10)), 0).results.length];
    while (engine.pending) sizes.push(engine.nextPage().results.length);
    expect(sizes).toEqual([3, 3, 3, 1]);
  });

  test("every call continues where the last page ended", () => {
    const engine = createWindowEngine({
      windower: sessions,
      clock: eventClock(),
      fold: count(),
      pageSize: 1,
    });
    expect(
      engine.process(batch(event(1, "a"), event(1, "b"), event(1, "c"), event(50, "d")), 0).results,
    ).toHaveLength(1);
    expect(engine.process(batch(event(51, "d")), 0).results).toHaveLength(1);
    expect(engine.advance(60).results).toHaveLength(1);
    expect(engine.pending).toBe(false);
  });
});

describe("memory in a soak", () => {
  const EVENTS = 200_000;
  const SIZE = 1_000;

  test.each<readonly [string, Options]>([
    ["tumbling windows", { windower: tumbling(500), clock: eventClock(5), fold: count() }],
    ["sessions", { windower: session(400), clock: eventClock(5), fold: count() }],
  ])("does not grow over many keys with one event each: %s", (_, options) => {
    const engine = createWindowEngine(options);
    let [mostCells, rows] = [0, 0];
    for (let from = 0; from < EVENTS; from += SIZE) {
      const keys: string[] = [];
      const values: TestEvent[] = [];
      for (let i = from; i < from + SIZE; i++) {
        keys.push(`user-${String(i)}`);
        values.push({ ts: i, key: "", value: 1 });
      }
      const given: KeyedBatch<TestEvent> = { keys, values };
      rows += engine.process(given, from + SIZE).results.length;
      mostCells = Math.max(mostCells, engine.stats().cells);
    }
    expect(mostCells).toBeLessThanOrEqual(2 * SIZE);
    expect(engine.stats().approximateBytes).toBeLessThan(5e5);
    expect(rows + engine.finish("end").results.length).toBe(EVENTS);
    expect(engine.stats()).toMatchObject({ cells: 0, windows: 0, counted: EVENTS, late: 0 });
  });
});

describe("values that a fold leaves out", () => {
  const bounded: readonly (readonly [string, Partial<WindowEngineOptions<TestEvent, unknown, unknown>>])[] = [
    ["tumbling windows", {}],
    ["windows with late results", { allowedLateness: 5 }],
    ["ordered windows", { ordered: true }],
    ["windows of a few ordered events", { ordered: true, maxOrderedEvents: 2, fold: count() }],
    ["sessions", { windower: sessions }],
    ["perKey", { timeModel: "perKey" }],
  ];

  test.each(bounded)("are in the row and in the stats, across a restart: %s", (_, given) => {
    const driver = new EngineDriver<TestEvent, unknown, unknown>({
      windower: tumblingWindows,
      clock: eventClock(100),
      fold: distinct(({ value }: TestEvent) => value, { max: 2 }),
      ...given,
    });
    driver.process(batch(...[1, 2, 3].map((value) => event(1, "a", value)), event(1, "b", 1)), 0);
    driver.restart(0);
    driver.process(batch(event(2, "a", 4)), 0);
    const rows = driver.finish().sort((a, b) => (a.key < b.key ? -1 : 1));
    expect(rows).toMatchObject([
      { key: "a", value: 2, overflow: 2 },
      { key: "b", value: 1 },
    ]);
    expect(rows[1]).not.toHaveProperty("overflow");
    expect(driver.engine.stats()).toMatchObject({ counted: 5, overflowedValues: 2 });
    driver.restart(0);
    expect(driver.engine.stats()).toMatchObject({ overflowedValues: 2 });
  });

  test("are counted in each revision up to that revision", () => {
    const driver = new EngineDriver({
      windower: tumblingWindows,
      clock: eventClock(),
      fold: collectList(({ value }: TestEvent) => value, { max: 2 }),
      allowedLateness: 100,
    });
    driver.process(batch(event(1, "a", 1), event(1, "a", 2), event(1, "a", 3), event(20)), 0);
    driver.process(batch(event(2, "a", 4), event(2, "a", 5)), 0);
    expect(driver.results).toMatchObject([
      { value: [1, 2], revision: 0, overflow: 1 },
      { value: [1, 2], revision: 1, previous: [1, 2], overflow: 3 },
    ]);
    expect(driver.engine.stats()).toMatchObject({ overflowedValues: 3 });
  });
});
