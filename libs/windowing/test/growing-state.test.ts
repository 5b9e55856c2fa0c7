import { describe, expect, test } from "@jest/globals";

import {
  aggregate,
  collectList,
  collectMap,
  collectSet,
  count,
  createWindowEngine,
  distinct,
  eventTime,
  join,
  session,
  sliding,
  sum,
  tumbling,
  type StateChange,
  type WindowEngineOptions,
} from "../src/index.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";

const HOUR = 3_600_000;
const tumblingWindows = tumbling(HOUR);
const sessions = session(HOUR);
const valueOf = ({ value }: TestEvent): number => value;

type Options = WindowEngineOptions<TestEvent, unknown, unknown>;

function bytesOf(changes: readonly StateChange[]): number {
  return JSON.stringify(changes).length;
}

function largestField(changes: readonly StateChange[]): number {
  let largest = 0;
  for (const { put = [] } of changes) {
    for (const [, value] of put) largest = Math.max(largest, JSON.stringify(value).length);
  }
  return largest;
}

const folds: readonly (readonly [string, Partial<Options>])[] = [
  ["distinct", { fold: distinct(valueOf) }],
  ["collectSet", { fold: collectSet(valueOf) }],
  ["collectList", { fold: collectList(valueOf) }],
  ["collectMap", { fold: collectMap((value: TestEvent) => [String(value.value), value.value] as const) }],
  ["join", { fold: join({ sides: { value: valueOf }, insert: "product", max: 100_000 }) }],
  ["aggregate", { fold: aggregate({ events: count(), values: distinct(valueOf) }) }],
  ["ordered windows", { fold: count(), ordered: true }],
];

const windows: readonly (readonly [string, Partial<Options>])[] = [
  ["tumbling windows", { windower: tumblingWindows }],
  ["sliding windows", { windower: sliding(2 * HOUR, { every: HOUR }) }],
  ["sessions", { windower: sessions }],
  ["early results", { windower: tumblingWindows, earlyEvery: 1 }],
  ["late results", { windower: tumblingWindows, allowedLateness: HOUR }],
  ["late results of sessions", { windower: sessions, allowedLateness: HOUR }],
  ["perKey", { windower: tumblingWindows, timeModel: "perKey" }],
];

const cases = windows.flatMap(([window, options]) =>
  folds.map(([fold, more]) => [fold, window, { ...options, ...more }] as const),
);

describe("a commit", () => {
  test.each(cases)("writes what is new, not what there is: %s in %s", (_fold, _window, given) => {
    const COUNT = 5_000;
    const options: Options = { clock: eventClock(HOUR), windower: tumblingWindows, fold: count(), ...given };
    const engine = createWindowEngine(options);
    const events = Array.from({ length: COUNT }, (_, value) => event(2 * HOUR, "a", value));
    engine.process({ keys: events.map(({ key }) => key), values: events }, 0);
    const whole = engine.snapshot();
    expect(bytesOf(whole)).toBeGreaterThan(10_000);
    expect(largestField(whole)).toBeLessThan(64 * 1_024);
    for (let more = 0; more < 3; more++) {
      // With early results the row before is noted, too.
      engine.advance(2 * more + 1);
      engine.process(batch(event(2 * HOUR, "a", COUNT + more)), 2 * more + 1);
      expect(bytesOf(engine.snapshot())).toBeLessThan(1_000);
    }
  });

  test.each([
    ["late results", tumblingWindows],
    ["late results of sessions", sessions],
  ])("of a revision writes only what is new: %s", (_, windower) => {
    const driver = new EngineDriver<TestEvent, unknown, unknown>({
      windower,
      clock: eventClock(),
      fold: collectList(valueOf),
      allowedLateness: 10 * HOUR,
    });
    const events = Array.from({ length: 5_000 }, (_, value) => event(1, "a", value));
    driver.process({ keys: events.map(({ key }) => key), values: events }, 0);
    driver.process(batch(event(3 * HOUR, "b")), 0);
    driver.commit();
    const [row] = driver.process(batch(event(2, "a", -1)), 0);
    expect(row).toMatchObject({ revision: 1, previous: events.map(valueOf) });
    expect(bytesOf(driver.engine.snapshot())).toBeLessThan(1_000);
  });

  test("of a page of closing rows removes one field of each, not all of their parts", () => {
    const options = {
      windower: tumblingWindows,
      clock: eventClock(),
      fold: collectList(valueOf),
      pageSize: 2,
    };
    const driver = new EngineDriver(options);
    for (let value = 0; value < 20; value++) {
      driver.process(batch(event(1, "a", value), event(1, "b", value), event(1, "c", value)), 0);
      driver.commit();
    }
    driver.engine.finish("end");
    const changes = driver.engine.snapshot();
    expect(changes.flatMap(({ delete: gone = [] }) => gone)).toHaveLength(2);
    driver.store.apply(changes);
    const again = createWindowEngine(options);
    again.restore(driver.store.load(), 0);
    const { results } = again.nextPage();
    expect(results).toMatchObject([{ key: "c", value: Array.from({ length: 20 }, (_, value) => value) }]);
    driver.store.apply(again.snapshot());
    expect(driver.store.load().map(([group]) => group)).toEqual(["engine"]);
  });

  test("removes the parts that a join has matched", () => {
    const sides = { even: ({ value }: TestEvent) => (value % 2 === 0 ? value : undefined), odd: odd };
    const driver = new EngineDriver({
      windower: tumblingWindows,
      clock: eventClock(),
      fold: join({ sides, insert: "product", emit: "complete" }),
    });
    for (let round = 0; round < 10; round++) {
      for (const value of [0, 2, 4]) {
        driver.process(batch(event(1, "a", value)), 0);
        driver.restart(0);
      }
      expect(driver.process(batch(event(1, "a", 1)), 0)).toMatchObject([{ value: [{}, {}, { even: 4 }] }]);
      driver.restart(0);
      expect(driver.store.fields).toBe(2);
    }
  });

  function odd({ value }: TestEvent): number | undefined {
    return value % 2 === 0 ? undefined : value;
  }
});

test.each(windows)("keys may be any text: %s", (_, given) => {
  const driver = new EngineDriver<TestEvent, unknown, unknown>({
    windower: tumblingWindows,
    clock: eventClock(HOUR),
    fold: collectList(valueOf),
    ...given,
  });
  const keys = [
    "",
    "1",
    "1:1",
    "0:",
    "3:a:b0",
    "a:b",
    "__proto__",
    "constructor",
    "\0",
    "10:",
    "🙂",
    "engine",
  ];
  for (const value of [1, 2]) {
    driver.process(batch(...keys.map((key) => event(5, key, value))), 0);
    driver.restart(0);
  }
  const rows = new Map(driver.finish().map(({ key, value }) => [key, value]));
  expect([...rows.keys()].sort()).toEqual([...keys].sort());
  expect([...rows.values()].every((value) => JSON.stringify(value) === "[1,2]")).toBe(true);
});

describe("many different users in one window", () => {
  interface Click {
    readonly at: number;
    readonly id: string;
    readonly user: string;
    readonly mobile: boolean;
  }
  const USERS = 200_000;
  const COMMIT_EVERY = 10_000;
  const options = {
    windower: tumblingWindows,
    clock: eventTime(({ at }: Click) => at, { wait: 0 }),
    fold: aggregate({
      events: count(),
      mobile_events: sum(({ mobile }: Click) => Number(mobile)),
      distinct_clicks: distinct(({ id }: Click) => id),
      distinct_users: distinct(({ user }: Click) => user),
      distinct_mobile_users: distinct(({ user, mobile }: Click) => (mobile ? user : undefined)),
    }),
  };
  const clickOf = (index: number): Click => ({
    at: index,
    id: `click-${String(index)}`,
    user: `user-${String(index)}`,
    mobile: index % 4 === 0,
  });

  test("are counted with small commits, and again after a crash between two of them", () => {
    const driver = new EngineDriver(options);
    let [most, largest] = [0, 0];
    const take = (start: number): void => {
      const values = Array.from({ length: COMMIT_EVERY }, (_, index) => clickOf(start + index));
      driver.process({ keys: values.map(() => "Europe/Madrid"), values }, start);
    };
    for (let start = 0; start < USERS; start += COMMIT_EVERY) {
      take(start);
      if (start === 120_000) {
        driver.crash(start);
        take(start);
      }
      const changes = driver.engine.snapshot();
      most = Math.max(most, bytesOf(changes));
      largest = Math.max(largest, largestField(changes));
      driver.store.apply(changes);
    }
    expect(driver.finish()).toMatchObject([
      {
        key: "Europe/Madrid",
        value: {
          events: USERS,
          mobile_events: USERS / 4,
          distinct_clicks: USERS,
          distinct_users: USERS,
          distinct_mobile_users: USERS / 4,
        },
      },
    ]);
    expect(most).toBeLessThan(COMMIT_EVERY * 50);
    expect(largest).toBeLessThan(64 * 1_024);
  });
});
