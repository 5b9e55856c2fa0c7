import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import {
  collectList,
  count,
  eventTime,
  join,
  session,
  tumbling,
  type TimeModel,
  type WindowResult,
  type Windower,
} from "../src/index.ts";
import type { OracleEvent } from "./oracle/stream-oracle.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";
import { batchOf, scripts, windowers } from "./support/scripts.ts";

const tumblingWindows = tumbling(10_000);
const sessions = session(10_000);
const cases: readonly (readonly [string, Windower, TimeModel])[] = [
  ["tumbling windows", tumblingWindows, "stream"],
  ["sessions", sessions, "stream"],
  ["tumbling windows, perKey", tumblingWindows, "perKey"],
  ["sessions, perKey", sessions, "perKey"],
];

describe.each(cases)("early results of %s", (_, windower, timeModel) => {
  const fold = collectList(({ value }: TestEvent) => value);
  const options = { windower, timeModel, fold, clock: eventClock(), earlyEvery: 100 };

  test("are emitted at their interval if something changed, and the closing row follows them", () => {
    const driver = new EngineDriver(options);
    expect(driver.process(batch(event(1, "a", 1), event(2, "b", 2)), 10)).toEqual([]);
    expect(driver.engine.nextWake(10)).toEqual({ at: 110, needs: "time" });
    expect(driver.advance(109)).toEqual([]);
    expect(driver.advance(110)).toMatchObject([
      { key: "a", value: [1], revision: 0, cause: "early" },
      { key: "b", value: [2], revision: 0, cause: "early" },
    ]);
    expect(driver.advance(300)).toEqual([]);
    driver.process(batch(event(302, "a", 3)), 302);
    expect(driver.advance(402)).toMatchObject([
      { key: "a", value: [1, 3], previous: [1], revision: 1, cause: "early" },
    ]);
    const closing = driver.finish();
    expect(closing.find(({ key }) => key === "a")).toMatchObject({
      value: [1, 3],
      previous: [1, 3],
      revision: 2,
      cause: "end",
    });
    expect(closing.find(({ key }) => key === "b")).toMatchObject({
      previous: [2],
      revision: 1,
      cause: "end",
    });
  });

  test("are emitted in pages", () => {
    const driver = new EngineDriver({ ...options, pageSize: 1 });
    driver.process(batch(event(1, "a", 1), event(1, "b", 2), event(1, "c", 3)), 10);
    expect(driver.engine.advance(110).results).toHaveLength(1);
    expect(driver.engine.pending).toBe(true);
    expect(driver.engine.nextPage().results).toHaveLength(1);
    expect(driver.engine.nextPage().results).toHaveLength(1);
    expect(driver.engine.nextPage().results).toHaveLength(0);
    expect(driver.engine.pending).toBe(false);
  });

  test("after a restart only changed results are emitted again", () => {
    const driver = new EngineDriver(options);
    driver.process(batch(event(1, "a", 1), event(1, "b", 2)), 10);
    driver.restart(20);
    expect(driver.advance(120)).toHaveLength(2);
    driver.restart(500);
    expect(driver.advance(900)).toEqual([]);
    driver.process(batch(event(900, "b", 4)), 900);
    driver.restart(900);
    expect(driver.advance(1_000)).toMatchObject([{ key: "b", value: [2, 4], previous: [2], revision: 1 }]);
  });
});

test("no early result is emitted after its window has closed, even if the window is kept", () => {
  const fold = collectList(({ value }: TestEvent) => value);
  const options = {
    windower: tumblingWindows,
    fold,
    clock: eventClock(),
    earlyEvery: 100,
    allowedLateness: 5_000,
  };
  const driver = new EngineDriver(options);
  driver.process(batch(event(1, "a", 1)), 10);
  expect(driver.process(batch(event(10_000, "b", 2)), 20)).toMatchObject([
    { key: "a", revision: 0, cause: "watermark" },
  ]);
  expect(driver.advance(200)).toMatchObject([{ key: "b", cause: "early" }]);
});

describe.each(cases)("early() of %s", (_, windower, timeModel) => {
  const fold = collectList(({ value }: TestEvent) => value);
  const options = { windower, timeModel, fold, clock: eventClock() };

  test("early() emits results of open windows and leaves them open, without earlyEvery", () => {
    const driver = new EngineDriver(options);
    expect(driver.early(0)).toEqual([]);
    driver.process(batch(event(1, "a", 1), event(2, "b", 2)), 10);
    expect(driver.early(10)).toMatchObject([
      { key: "a", value: [1], revision: 0, cause: "early" },
      { key: "b", value: [2], revision: 0, cause: "early" },
    ]);
    expect(driver.early(11)).toEqual([]);
    driver.process(batch(event(3, "a", 3)), 12);
    expect(driver.early(12)).toMatchObject([
      { key: "a", value: [1, 3], previous: [1], revision: 1, cause: "early" },
    ]);
    driver.process(batch(event(4, "a", 4)), 13);
    expect(
      driver.finish().map(({ key, value, revision, previous }) => [key, value, revision, previous]),
    ).toEqual(
      expect.arrayContaining([
        ["a", [1, 3, 4], 2, [1, 3]],
        ["b", [2], 1, [2]],
      ]),
    );
    expect(driver.early(14)).toEqual([]);
  });

  test("the next run's rows replace it, for any events in between", () => {
    for (const commitsAfter of [true, false]) {
      const driver = new EngineDriver(options);
      driver.process(batch(event(1, "a", 1), event(2, "b", 2)), 10);
      if (commitsAfter) driver.commit();
      expect(driver.early(10)).toHaveLength(2);
      driver.restart(20);
      expect(driver.early(20)).toEqual([]);
      driver.process(batch(event(5, "a", 3), event(6, "c", 4)), 20);
      driver.restart(30);
      const rows = driver.finish();
      expect(rows.map(({ key, value, revision, previous }) => [key, value, revision, previous])).toEqual(
        expect.arrayContaining([
          ["a", [1, 3], 1, [1]],
          ["b", [2], 1, [2]],
          ["c", [4], 0, undefined],
        ]),
      );
      expect(rows).toHaveLength(3);
    }
  });

  test("is emitted in pages, after the rows of windows that are due", () => {
    const driver = new EngineDriver({ ...options, pageSize: 1 });
    driver.process(batch(event(1, "a", 1), event(1, "b", 2), event(1, "c", 3)), 10);
    expect(driver.engine.early(10).results).toHaveLength(1);
    expect(driver.engine.pending).toBe(true);
    const rest = [driver.engine.nextPage(), driver.engine.nextPage(), driver.engine.nextPage()];
    expect(rest.map(({ results }) => results.length)).toEqual([1, 1, 0]);
    expect(driver.engine.pending).toBe(false);
    driver.process(batch(event(2, "a", 4)), 11);
    const causes = [...driver.drained(60_000), ...driver.early(60_000)].map(({ cause }) => cause);
    expect(causes).toEqual(["watermark", "watermark", "watermark"]);
  });

  test("has no window that is due: its closing row follows", () => {
    const driver = new EngineDriver({ ...options, pageSize: 1 });
    driver.process(batch(event(1, "a", 1), event(1, "b", 2)), 10);
    driver.engine.drained(60_000);
    const rows = driver.early(60_000);
    expect(rows).toMatchObject([{ revision: 0, cause: "watermark" }]);
  });
});

test("early() emits nothing for a fold with matches: its rows are emitted at once", () => {
  const sides = { left: ({ value }: TestEvent) => value };
  for (const timeModel of ["stream", "perKey"] as const) {
    const driver = new EngineDriver({
      windower: tumblingWindows,
      timeModel,
      fold: join({ sides, emit: "running" }),
      clock: eventClock(),
    });
    expect(driver.process(batch(event(1, "a", 1)), 10)).toHaveLength(1);
    expect(driver.early(20)).toEqual([]);
  }
});

test("early(): windows that open after it have first rows again", () => {
  const driver = new EngineDriver({ windower: tumblingWindows, fold: count(), clock: eventClock() });
  driver.process(batch(event(1)), 0);
  driver.early(0);
  driver.process(batch(event(2), event(10_000), event(10_001)), 1);
  expect(driver.process(batch(event(20_000)), 2)).toMatchObject([{ value: 2, revision: 0 }]);
});

test("early() changes no final result, and every row has the value of the previous one", () => {
  fc.assert(
    fc.property(
      windowers,
      fc.constantFrom<TimeModel>("stream", "perKey"),
      fc.constantFrom(0, 0, 30),
      fc.constantFrom(1, 3, Number.POSITIVE_INFINITY),
      scripts,
      (windower, timeModel, lateness, pageSize, actions) => {
        const options = {
          windower,
          timeModel,
          pageSize,
          allowedLateness: timeModel === "stream" ? lateness : 0,
          fold: collectList(({ value }: OracleEvent) => value),
          clock: eventTime(({ ts }: OracleEvent) => ts, { wait: 5, maxFuture: "unbounded" }),
        };
        const [shown, quiet] = [new EngineDriver(options), new EngineDriver(options)];
        for (const action of actions) {
          for (const driver of [shown, quiet]) {
            if (action.do === "process") driver.process(batchOf(action.events), action.now);
            else if (action.do === "drained") driver.drained(action.now);
            else if (action.do === "restart") driver.restart(action.now);
            else if (driver === shown) driver.early(action.now);
            else driver.advance(action.now);
          }
        }
        shown.finish();
        quiet.finish();
        const finals = ({ results }: typeof shown): unknown[] =>
          results
            .filter(({ cause }) => cause !== "early")
            .map(({ key, window, value }) => JSON.stringify([key, window.open, window.close, value]))
            .sort();
        expect(finals(shown)).toEqual(finals(quiet));
        const last = new Map<string, WindowResult<readonly number[]>>();
        for (const row of shown.results) {
          const name = `${row.key} ${String(row.window.id)}`;
          const before = last.get(name);
          expect(row.revision).toBe(before === undefined ? 0 : before.revision + 1);
          expect(row.previous).toEqual(before?.value);
          last.set(name, row);
        }
      },
    ),
    { numRuns: 400 },
  );
});
