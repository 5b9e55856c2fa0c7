import { describe, expect, test } from "@jest/globals";

import { StateStore } from "../conformance/state-store.ts";
import {
  WindowStateError,
  count,
  createWindowEngine,
  session,
  sliding,
  tumbling,
  type WindowEngineOptions,
} from "../src/index.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";

type Options = WindowEngineOptions<TestEvent, number, number>;
const base: Options = {
  windower: tumbling(100),
  clock: eventClock(),
  fold: count(),
};

function keys(from: number, until: number, ts: number): TestEvent[] {
  return Array.from({ length: until - from }, (_, index) => event(ts, `key-${String(from + index)}`));
}

describe("snapshot", () => {
  test.each([
    ["tumbling", base],
    ["sessions", { ...base, windower: session(100) }],
    ["perKey", { ...base, timeModel: "perKey" as const }],
  ])("costs what changed: %s", (_, options) => {
    const engine = createWindowEngine(options);
    engine.process(batch(...keys(0, 1_000, 1)), 0);
    const fields = (): number =>
      engine.snapshot().reduce((sum, { put = [], delete: gone = [] }) => sum + put.length + gone.length, 0);
    expect(fields()).toBeGreaterThanOrEqual(1_000);
    engine.process(batch(...keys(10, 13, 2)), 0);
    expect(fields()).toBe(4);
    expect(fields()).toBeLessThanOrEqual(1);
  });

  test("a window's state is dropped at once", () => {
    const engine = createWindowEngine(base);
    engine.process(batch(...keys(0, 1_000, 1)), 0);
    engine.snapshot();
    engine.process(batch(event(100)), 0);
    const changes = engine.snapshot();
    expect(changes[0]).toEqual({ group: "0", drop: true });
    expect(changes).toHaveLength(3);
  });

  test("a window that opened and closed between two snapshots is in neither", () => {
    const engine = createWindowEngine(base);
    engine.snapshot();
    engine.process(batch(...keys(0, 10, 1), event(250)), 0);
    expect(engine.snapshot().map(({ group }) => group)).toEqual(["2", "engine"]);
  });

  test("between two pages it has the rows that are not emitted yet", () => {
    const engine = createWindowEngine({ ...base, pageSize: 300 });
    const store = new StateStore();
    engine.process(batch(...keys(0, 1_000, 1)), 0);
    store.apply(engine.snapshot());
    engine.finish("end");
    const [change] = engine.snapshot();
    expect(change?.delete).toHaveLength(300);
    store.apply(change === undefined ? [] : [change]);
    expect(store.fields).toBe(700 + 1);
  });

  test("closed windows leave no state", () => {
    for (const windower of [base.windower, sliding(50, { every: 20 }), session(9)]) {
      const driver = new EngineDriver({ ...base, windower, pageSize: 7, allowedLateness: 30 }, (self) => {
        self.commit();
      });
      driver.process(batch(...keys(0, 50, 1), ...keys(0, 50, 120), ...keys(0, 20, 95)), 0);
      driver.commit();
      driver.finish();
      driver.drained(10_000);
      driver.commit();
      expect(driver.store.load().map(([group]) => group)).toEqual(["engine"]);
    }
  });
});

describe("restore", () => {
  function saved(options: Options): StateStore {
    const store = new StateStore();
    const engine = createWindowEngine(options);
    engine.process(batch(event(1), event(250), event(3)), 0);
    store.apply(engine.snapshot());
    return store;
  }

  test("restores counters and the watermark", () => {
    const engine = createWindowEngine(base);
    engine.restore(saved(base).load(), 5_000);
    expect(engine.stats()).toMatchObject({ counted: 2, late: 1, watermark: 250, windows: 1 });
    expect(engine.process(batch(event(2)), 5_000).late).toHaveLength(1);
  });

  test.each([
    ["another length", { windower: tumbling(50) }],
    ["another kind of window", { windower: session(100) }],
    ["another time model", { timeModel: "perKey" as const }],
    ["another order", { ordered: true }],
  ])("refuses the state of %s", (_, other) => {
    const engine = createWindowEngine({ ...base, ...other });
    const engineFirst = saved(base)
      .load()
      .sort(([a]) => (a === "engine" ? -1 : 1));
    expect(() => {
      engine.restore(engineFirst, 0);
    }).toThrow(WindowStateError);
  });

  test.each([
    ["a group that is no window", [["x", []]]],
    ["a cell that is no list", [["2", [["a", 5]]]]],
    ["a cell without a state", [["2", [["a", []]]]]],
    ["an engine that is no list", [["engine", [["state", {}]]]]],
  ] as const)("refuses %s", (_, state) => {
    expect(() => {
      createWindowEngine(base).restore(state, 0);
    }).toThrow(WindowStateError);
  });
});
