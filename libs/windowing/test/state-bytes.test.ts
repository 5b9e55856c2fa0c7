import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import {
  aggregate,
  collectList,
  collectMap,
  collectSet,
  count,
  distinct,
  eventTime,
  foldOf,
  join,
  reduce,
  session,
  tumbling,
  type ClosingFold,
  type WindowEngineOptions,
  type WindowResult,
} from "../src/index.ts";
import type { OracleEvent } from "./oracle/stream-oracle.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";
import { foldPairs } from "./support/oracle-folds.ts";
import { batchOf, scripts, windowers, type Action } from "./support/scripts.ts";

/** The room of an element with so many bytes of JSON. */
const roomOf = (bytes: number): number => 100 + bytes;

/** What accumulators have taken, of an engine of the time model `stream`. */
function taken<V, A, R>({ engine }: EngineDriver<V, A, R>): number {
  const { approximateBytes, windows, cells } = engine.stats();
  return approximateBytes - windows * 500 - cells * 100;
}

const tumblingWindows = tumbling(10);

describe("bytes of accumulators", () => {
  type Options = WindowEngineOptions<TestEvent, unknown, unknown>;
  const driverOf = (given: Partial<Options>): EngineDriver<TestEvent, unknown, unknown> =>
    new EngineDriver<TestEvent, unknown, unknown>({
      windower: tumblingWindows,
      clock: eventClock(100),
      fold: count(),
      ...given,
    });
  const digits = Array.from({ length: 6 }, (_, value) => event(1, "a", value));
  const valueOf = ({ value }: TestEvent): number => value;

  const growing: readonly (readonly [string, ClosingFold<TestEvent, unknown, unknown>, unknown])[] = [
    ["distinct", distinct(valueOf), 3],
    ["collectSet", collectSet(valueOf), [0, 1, 2]],
    ["collectList", collectList(valueOf), [0, 1, 2]],
    [
      "collectMap",
      collectMap(({ value }: TestEvent) => [String(value % 5), value] as const),
      { 0: 5, 1: 1, 2: 2 },
    ],
  ];
  test.each(growing)("above the limit %s leaves out new values, and counts it", (name, fold, value) => {
    const bytes = name === "collectMap" ? 4 : 1;
    const maxStateBytes = 3 * roomOf(bytes);
    const driver = driverOf({ fold: fold, maxStateBytes });
    driver.process(batch(...digits), 0);
    expect(taken(driver)).toBe(maxStateBytes);
    driver.restart();
    expect(taken(driver)).toBe(maxStateBytes);
    driver.process(batch(event(1, "a", 9)), 0);
    expect(driver.finish()).toMatchObject([{ value, overflow: name === "collectMap" ? 3 : 4 }]);
    expect(driver.engine.stats().overflowedValues).toBe(name === "collectMap" ? 3 : 4);
    expect(taken(driver)).toBe(0);
  });

  test("a join accepts no more, except a value that replaces one of its size", () => {
    const fold = join({
      sides: {
        low: ({ value }: TestEvent) => (value < 5 ? value : undefined),
        high: ({ value }: TestEvent) => (value < 5 ? undefined : value),
      },
    });
    const driver = driverOf({ fold: fold, maxStateBytes: roomOf(1) });
    driver.process(batch(event(1, "a", 1), event(1, "a", 7), event(1, "a", 2), event(1, "a", 12)), 0);
    expect(driver.finish()).toMatchObject([{ value: { low: 2, high: null }, overflow: 2 }]);
  });

  test("a join that removes its events releases their room", () => {
    const fold = join({
      sides: {
        low: ({ value }: TestEvent) => (value < 5 ? value : undefined),
        high: ({ value }: TestEvent) => (value < 5 ? undefined : value),
      },
      emit: "complete",
    });
    const driver = driverOf({ fold: fold, maxStateBytes: 2 * roomOf(1) });
    const rows = driver.process(batch(...[1, 7, 2, 8, 3, 9].map((value) => event(1, "a", value))), 0);
    expect(rows.map(({ value, overflow }) => [value, overflow])).toEqual([
      [{ low: 1, high: 7 }, undefined],
      [{ low: 2, high: 8 }, undefined],
      [{ low: 3, high: 9 }, undefined],
    ]);
    expect(taken(driver)).toBe(0);
  });

  test("numbers of the same row continue, and other keys share the limit", () => {
    const fold = aggregate({ events: count(), users: distinct(valueOf) });
    const driver = driverOf({
      fold: fold,
      maxStateBytes: 2 * roomOf(1),
    });
    driver.process(batch(...digits, event(1, "b", 1), event(1, "b", 1)), 0);
    expect(driver.finish()).toMatchObject([
      { key: "a", value: { events: 6, users: 2 }, overflow: 4 },
      { key: "b", value: { events: 2, users: 0 }, overflow: 2 },
    ]);
  });

  test.each<readonly [string, Partial<Options>]>([
    ["tumbling windows", {}],
    ["windows kept for late events", { allowedLateness: 5 }],
    ["sessions", { windower: session(5) }],
    ["perKey", { timeModel: "perKey" }],
  ])("a closed window releases its room for the next one: %s", (_, given) => {
    const driver = driverOf({
      fold: distinct(valueOf),
      clock: eventClock(),
      maxStateBytes: 2 * roomOf(1),
      ...given,
    });
    for (let window = 0; window < 5; window++) {
      driver.process(batch(...[1, 2, 3].map((value) => event(window * 50 + 1, "a", value))), 0);
      if (window % 2 === 0) driver.restart();
      driver.process(batch(event(window * 50 + 30, "b", 1)), 0);
    }
    driver.finish();
    const rows = driver.results.filter(({ key }) => key === "a");
    expect(rows.map(({ value, overflow }) => [value, overflow])).toEqual(Array(5).fill([2, 1]));
  });

  test("state of an engine with more room is restored, and nothing is added to it", () => {
    const fold = aggregate({ events: count(), list: collectList(valueOf) }) as unknown as Options["fold"];
    const large = driverOf({ fold });
    large.process(batch(...digits), 0);
    large.commit();
    const small = driverOf({ fold, maxStateBytes: 10 });
    small.store.apply(large.store.load().map(([group, fields]) => ({ group, put: [...fields] })));
    small.crash(0);
    small.process(batch(event(1, "a", 7), event(1, "b", 8)), 0);
    expect(small.finish()).toMatchObject([
      { key: "a", value: { events: 7, list: [0, 1, 2, 3, 4, 5] }, overflow: 1 },
      { key: "b", value: { events: 1, list: [] }, overflow: 1 },
    ]);
  });

  test.each<readonly [string, ClosingFold<TestEvent, unknown, unknown>]>([
    [
      "foldOf",
      foldOf({
        create: () => "",
        add: (text, { key }: TestEvent) => text + key.repeat(2_000),
        merge: (a, b) => a + b,
      }),
    ],
    [
      "reduce",
      reduce(
        ({ key }: TestEvent) => key.repeat(2_000),
        (a: string, b: string) => a + b,
      ),
    ],
  ])("the measured size of %s counts, and no room stops it", (_, fold) => {
    const driver = driverOf({ fold: fold, maxStateBytes: 5_000 });
    driver.process(batch(event(1, "a"), event(1, "b")), 0);
    driver.commit();
    expect(taken(driver)).toBe(4_004);
    driver.process(batch(event(1, "a")), 0);
    driver.restart();
    expect(taken(driver)).toBe(6_004);
    driver.process(batch(event(1, "a"), event(1, "b"), event(1, "c")), 0);
    const rows = driver.finish().map(({ key, value, overflow }) => [key, String(value).length, overflow]);
    expect(rows).toEqual([
      ["a", 4_000, 1],
      ["b", 2_000, 1],
      ["c", 2_000, undefined],
    ]);
    expect(taken(driver)).toBe(0);
  });

  test("an event that is only tried takes no room and is not counted", () => {
    const picky = foldOf({
      create: () => 0,
      add: (sum, { value }: TestEvent) => sum + value,
      merge: (a, b) => a + b,
    });
    const fold = aggregate({ picky, list: collectList(valueOf) }) as unknown as Options["fold"];
    const driver = driverOf({
      fold,
      timeModel: "perKey",
      onError: "skip",
      maxStateBytes: 2 * roomOf(1),
    });
    driver.process(batch(...digits), 0);
    expect(driver.engine.stats().overflowedValues).toBe(4);
    expect(driver.finish()).toMatchObject([{ value: { list: [0, 1] }, overflow: 4 }]);
  });

  test("events that are kept for their order take room", () => {
    const bytes = JSON.stringify(event(1)).length;
    const fold = collectList(valueOf) as unknown as Options["fold"];
    const driver = driverOf({ fold, ordered: true, maxStateBytes: 2 * roomOf(bytes) });
    driver.process(batch(event(3, "a", 3), event(2, "a", 2), event(1, "a", 1)), 0);
    driver.restart();
    driver.process(batch(event(4, "a", 4)), 0);
    expect(driver.finish()).toMatchObject([{ value: [2, 3], overflow: 2 }]);
    expect(taken(driver)).toBe(0);
  });

  test("waiting events of a key take room until their turn; the first window always has room", () => {
    const maxStateBytes = 2 * roomOf(JSON.stringify(event(200)).length);
    const fold = count() as unknown as Options["fold"];
    const driver = driverOf({ fold, timeModel: "perKey", ordered: true, maxStateBytes });
    driver.process(batch(event(3), event(2), event(1), event(11)), 0);
    driver.restart();
    driver.process(batch(event(4), event(200), event(201)), 0);
    driver.finish();
    expect(driver.results.map(({ value, overflow }) => [value, overflow])).toEqual([
      [2, 2],
      [1, undefined],
      [2, undefined],
    ]);
  });

  test("a key counts as one more for each fold that keeps more than a number", () => {
    const fold = aggregate({ events: count(), users: distinct(valueOf), list: collectList(valueOf) });
    const driver = driverOf({ fold, maxKeys: 6 });
    driver.process(batch(event(1, "a"), event(1, "b"), event(1, "c")), 0);
    expect(driver.finish().map(({ key }) => key)).toEqual(["a", "b", "(overflow)"]);
  });

  test("must be at least 1", () => {
    expect(() => driverOf({ maxStateBytes: 0 })).toThrow(/maxStateBytes is 0/);
  });
});

describe("bytes of accumulators, against an oracle that counts them for each event", () => {
  interface Cell {
    events: number;
    overflow: number;
    readonly users: Set<number>;
  }
  const steps = fc.array(
    fc.record({
      elapsed: fc.integer({ min: 0, max: 6 }),
      events: fc.array(
        fc.record({ key: fc.constantFrom("a", "b", "c"), value: fc.integer({ min: 0, max: 12 }) }),
        { maxLength: 6 },
      ),
      restart: fc.boolean(),
    }),
    { maxLength: 30 },
  );

  test("rows have what fitted, count the rest, and are exact if nothing needs room", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 2_500 }), (script, maxStateBytes) => {
        const fold = aggregate({ events: count(), users: distinct(({ value }: TestEvent) => value) });
        const driver = new EngineDriver({
          windower: tumblingWindows,
          clock: eventClock(),
          fold,
          maxStateBytes,
        });
        const open = new Map<number, Map<string, Cell>>();
        const expected: unknown[] = [];
        const bytesOf = (value: number): number => String(value).length;
        const heldBytes = (): number => {
          let sum = 0;
          for (const cells of open.values())
            for (const { users } of cells.values()) for (const user of users) sum += roomOf(bytesOf(user));
          return sum;
        };
        const close = (until: number): void => {
          for (const [id, cells] of [...open].sort(([a], [b]) => a - b)) {
            if ((id + 1) * 10 > until) continue;
            for (const [key, { events, users, overflow }] of cells)
              expected.push([id, key, events, users.size, overflow]);
            open.delete(id);
          }
        };
        let now = 0;
        for (const { elapsed, events, restart } of script) {
          now += elapsed;
          const id = Math.floor(now / 10);
          for (const { key, value } of events) {
            const cells = open.get(id) ?? new Map<string, Cell>();
            open.set(id, cells);
            const cell = cells.get(key) ?? { events: 0, overflow: 0, users: new Set<number>() };
            cells.set(key, cell);
            cell.events++;
            if (cell.users.has(value)) continue;
            if (heldBytes() + roomOf(bytesOf(value)) <= maxStateBytes) cell.users.add(value);
            else cell.overflow++;
          }
          driver.process(batch(...events.map(({ key, value }) => event(now, key, value))), now);
          if (events.length > 0) close(now);
          if (restart) driver.restart();
          expect(taken(driver)).toBe(heldBytes());
        }
        driver.finish();
        close(Number.POSITIVE_INFINITY);
        const rows = driver.results.map(({ key, value, window, overflow = 0 }) => [
          window.id,
          key,
          value.events,
          value.users,
          overflow,
        ]);
        expect(sorted(rows)).toEqual(sorted(expected));
        expect(taken(driver)).toBe(0);
      }),
    );
  });
});

describe("with any windows, order and time model", () => {
  type Options = WindowEngineOptions<OracleEvent, unknown, unknown>;
  const given = fc.record({
    windower: windowers,
    timeModel: fc.constantFrom("stream" as const, "perKey" as const),
    allowedLateness: fc.constantFrom(0, 15, 60),
    ordered: fc.boolean(),
    waitMs: fc.constantFrom(0, 20),
    earlyEvery: fc.constantFrom(Number.POSITIVE_INFINITY, 10),
  });
  type Given = typeof given extends fc.Arbitrary<infer T> ? T : never;
  const driverOf = (
    { waitMs, allowedLateness, ...options }: Given,
    fold: unknown,
    maxStateBytes: number,
  ): EngineDriver<OracleEvent, unknown, unknown> =>
    new EngineDriver<OracleEvent, unknown, unknown>({
      ...options,
      allowedLateness: options.timeModel === "stream" ? allowedLateness : 0,
      clock: eventTime(({ ts }: OracleEvent) => ts, { wait: waitMs, maxFuture: "unbounded" }),
      fold: fold as Options["fold"],
      maxStateBytes,
    });
  const run = (driver: EngineDriver<OracleEvent, unknown, unknown>, action: Action): void => {
    if (action.do === "process") driver.process(batchOf(action.events), action.now);
    else if (action.do === "restart") driver.restart(action.now);
    else if (action.do === "commit") driver.commit();
    else driver[action.do](action.now);
  };

  test("the room in use is the same after a restart, and all of it is released", () => {
    const folds = fc.constantFrom(
      ...foldPairs.map(({ fold }) => fold),
      reduce(
        ({ value }: OracleEvent) => [value],
        (a, b) => [...a, ...b],
      ),
    );
    fc.assert(
      fc.property(given, folds, scripts, (options, fold, actions) => {
        const driver = driverOf(options, fold, 1e9);
        for (const action of actions) {
          run(driver, action);
          driver.commit();
          const { approximateBytes } = driver.engine.stats();
          driver.crash(driver.now);
          expect(driver.engine.stats().approximateBytes).toBe(approximateBytes);
        }
        driver.finish();
        driver.drained(1e6);
        driver.process(batchOf([{ key: "z", ts: 1e6, value: 1 }]), 1e6);
        driver.finish();
        driver.drained(2e6);
        const { approximateBytes, windows } = driver.engine.stats();
        // In perKey the clocks of keys stay.
        if (windows === 0) expect(approximateBytes % 500).toBe(0);
      }),
    );
  });

  test("a row has all its events, in its list or its overflow, within the limit", () => {
    const fold = aggregate({ events: count(), list: collectList(({ value }: OracleEvent) => value) });
    const figuresOf = ({ key, window, revision, value, overflow = 0 }: WindowResult<unknown>): unknown => {
      const { events, list } = value as { events: number; list: readonly number[] };
      return [key, window.id, revision, events, list.length + overflow];
    };
    fc.assert(
      fc.property(given, fc.integer({ min: 1, max: 1_500 }), scripts, (options, bound, actions) => {
        // Events that wait and find no room are in the row's overflow, and not among its events.
        const unordered = { ...options, ordered: false };
        const small = driverOf(unordered, fold, bound);
        const large = driverOf(unordered, fold, 1e9);
        for (const action of actions) {
          run(small, action);
          run(large, action);
          if (options.timeModel === "stream") expect(taken(small)).toBeLessThanOrEqual(bound);
        }
        small.finish();
        large.finish();
        expect(small.results.map(figuresOf)).toEqual(large.results.map(figuresOf));
        const left = small.engine.stats().overflowedValues;
        expect(left === 0).toBe(small.results.every(({ overflow }) => overflow === undefined));
      }),
    );
  });
});

function sorted(rows: readonly unknown[]): readonly string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
