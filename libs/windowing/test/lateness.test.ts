import { describe, expect, test } from "@jest/globals";

import {
  collectList,
  count,
  createWindowEngine,
  join,
  session,
  tumbling,
  type WindowResult,
} from "../src/index.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";

const tumblingWindows = tumbling(10);
const sessions = session(5);
const values = collectList(({ value }: TestEvent) => value);

function brief<R>(rows: readonly WindowResult<R>[]): unknown[] {
  return rows.map(({ key, value, revision, cause, previous }) =>
    previous === undefined ? [key, value, revision, cause] : [key, value, revision, cause, previous],
  );
}

describe("late events", () => {
  test("name the windows they missed", () => {
    const engine = createWindowEngine({ windower: tumblingWindows, clock: eventClock(), fold: count() });
    engine.process(batch(event(25)), 0);
    expect(engine.process(batch(event(3)), 0).late).toEqual([
      {
        key: "a",
        value: event(3),
        timestamp: 3,
        watermark: 25,
        windows: [{ id: 0, open: 0, close: 10, mergedIds: [] }],
      },
    ]);
  });

  test("of sessions name the session that they would have opened", () => {
    const engine = createWindowEngine({ windower: sessions, clock: eventClock(), fold: count() });
    engine.process(batch(event(25)), 0);
    expect(engine.process(batch(event(3)), 0).late).toMatchObject([
      { windows: [{ id: -1, open: 3, close: 3 }] },
    ]);
  });
});

describe("allowedLateness", () => {
  test("one revision a batch for each window and key, with the previous value", () => {
    const driver = new EngineDriver({
      windower: tumblingWindows,
      clock: eventClock(),
      fold: values,
      allowedLateness: 20,
    });
    expect(brief(driver.process(batch(event(1, "a", 1), event(12, "a", 2)), 0))).toEqual([
      ["a", [1], 0, "watermark"],
    ]);
    expect(brief(driver.process(batch(event(2, "a", 3), event(3, "a", 4), event(4, "b", 5)), 0))).toEqual([
      ["a", [1, 3, 4], 1, "late", [1]],
      ["b", [5], 0, "late"],
    ]);
    expect(brief(driver.process(batch(event(5, "b", 6)), 0))).toEqual([["b", [5, 6], 1, "late", [5]]]);
  });

  test("a window is kept until its close plus the lateness, and then freed", () => {
    const driver = new EngineDriver({
      windower: tumblingWindows,
      clock: eventClock(),
      fold: count(),
      allowedLateness: 20,
    });
    driver.process(batch(event(1), event(29)), 0);
    expect(driver.engine.stats().windows).toBe(2);
    expect(brief(driver.process(batch(event(2), event(30), event(3)), 0))).toEqual([
      ["a", 1, 0, "watermark"],
      ["a", 2, 1, "late", 1],
    ]);
    expect(driver.engine.stats()).toMatchObject({ windows: 2, counted: 4, late: 1, revisions: 1 });
  });

  test("an event during a wait for the page of first rows makes a revision after them", () => {
    const driver = new EngineDriver(
      { windower: tumblingWindows, clock: eventClock(), fold: values, allowedLateness: 100, pageSize: 1 },
      (self) => {
        self.restart();
      },
    );
    driver.process(batch(event(1, "a", 1), event(1, "b", 2)), 0);
    const rows = driver.process(batch(event(10, "a", 3), event(2, "b", 4), event(2, "c", 5)), 0);
    expect(brief(rows)).toEqual([
      ["a", [1], 0, "watermark"],
      ["b", [2], 0, "watermark"],
      ["b", [2, 4], 1, "late", [2]],
      ["c", [5], 0, "late"],
    ]);
  });

  test("a session that waits for its page is emitted before a late event extends it", () => {
    const driver = new EngineDriver({
      windower: sessions,
      clock: eventClock(),
      fold: values,
      allowedLateness: 100,
      pageSize: 1,
    });
    driver.process(batch(event(1, "a", 1), event(2, "b", 2)), 0);
    const rows = driver.process(batch(event(50, "z", 0), event(3, "b", 3)), 0);
    expect(brief(rows)).toEqual([
      ["a", [1], 0, "watermark"],
      ["b", [2], 0, "watermark"],
      ["b", [2, 3], 1, "late", [2]],
    ]);
  });

  test("a revision that joins emitted sessions names those it replaces", () => {
    const driver = new EngineDriver({
      windower: sessions,
      clock: eventClock(),
      fold: values,
      allowedLateness: 100,
    });
    driver.process(batch(event(10, "a", 1), event(18, "a", 2), event(60, "z", 0)), 0);
    const ids = driver.results.map(({ window }) => window.id);
    const [revision] = driver.process(batch(event(14, "a", 3)), 0);
    expect(revision).toMatchObject({
      value: [1, 2, 3],
      previous: [1],
      revision: 1,
      cause: "late",
      window: { id: ids[0], open: 10, close: 18, mergedIds: [ids[1]] },
      replaces: [ids[1]],
    });
    const [next] = driver.process(batch(event(15, "a", 4)), 0);
    expect(next).toMatchObject({ value: [1, 2, 3, 4], revision: 2 });
    expect(next).not.toHaveProperty("replaces");
  });

  test("a session that a late event changed and another one merged has no row any more", () => {
    const driver = new EngineDriver({
      windower: sessions,
      clock: eventClock(),
      fold: values,
      allowedLateness: 100,
    });
    driver.process(batch(event(10, "a", 1), event(18, "a", 2), event(60, "z", 0)), 0);
    const rows = driver.process(batch(event(19, "a", 3), event(14, "a", 4)), 0);
    expect(brief(rows)).toEqual([["a", [1, 2, 3, 4], 1, "late", [1]]]);
    expect(rows[0]?.replaces).toHaveLength(1);
  });

  test("an emitted session that a later event extends is open again, and closes as a revision", () => {
    const driver = new EngineDriver({
      windower: sessions,
      clock: eventClock(),
      fold: count(),
      allowedLateness: 100,
    });
    expect(brief(driver.process(batch(event(10), event(16, "z")), 0))).toEqual([["a", 1, 0, "watermark"]]);
    expect(driver.process(batch(event(15)), 0)).toEqual([]);
    expect(brief(driver.process(batch(event(21, "z")), 0))).toEqual([["a", 2, 1, "watermark", 1]]);
  });

  test("late matches are emitted at once", () => {
    const sides = {
      odd: ({ value }: TestEvent) => (value % 2 === 1 ? value : undefined),
      any: ({ ts }: TestEvent) => ts,
    };
    const driver = new EngineDriver({
      windower: tumblingWindows,
      clock: eventClock(),
      fold: join({ sides, emit: "running" }),
      allowedLateness: 100,
      pageSize: 1,
    });
    driver.process(batch(event(1, "a", 1), event(50, "a", 2)), 0);
    expect(driver.process(batch(event(2, "a", 2)), 0)).toMatchObject([
      { value: { odd: 1, any: 2 }, revision: 1, cause: "match", window: { open: 0 } },
    ]);
  });
});
