import { describe, expect, test } from "@jest/globals";

import {
  count,
  session,
  sliding,
  systemTime,
  tumbling,
  type WindowEngineOptions,
  type Windower,
} from "../src/index.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";

type Options = WindowEngineOptions<TestEvent, number, number>;
const windowers: readonly (readonly [string, Windower])[] = [
  ["tumbling", tumbling(10)],
  ["sliding", sliding(10, { every: 5 })],
  ["sessions", session(4)],
];

function driverOf(windower: Windower, more: Partial<Options> = {}): EngineDriver<TestEvent, number, number> {
  return new EngineDriver<TestEvent, number, number>({
    windower,
    timeModel: "perKey",
    fold: count(),
    clock: eventClock(),
    ...more,
  });
}

describe.each(windowers)("a window of a key opens once (perKey): %s", (_, windower) => {
  test("an event for a closed window is late, even if its key has no window left", () => {
    for (const restarts of [false, true]) {
      const driver = driverOf(windower);
      driver.process(batch(event(5)), 0);
      driver.advance(100);
      expect(driver.engine.stats().windows).toBe(0);
      const rows = driver.results.length;
      if (restarts) driver.restart();
      expect(driver.process(batch(event(6)), 100)).toEqual([]);
      expect(driver.finish()).toHaveLength(0);
      expect(driver.results).toHaveLength(rows);
      expect(driver.engine.stats()).toMatchObject({ counted: 1, late: 1 });
    }
  });

  test("a key that comes back continues, and no window has a second first row", () => {
    const driver = driverOf(windower);
    for (const ts of [5, 200, 400]) {
      driver.process(batch(event(ts)), ts);
      driver.advance(ts + 50);
      driver.restart();
    }
    driver.process(batch(event(399)), 450);
    expect(driver.engine.stats()).toMatchObject({ counted: 3, late: 1 });
    const ids = driver.results.map(({ window }) => window.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("so does the end of the input", () => {
    const driver = driverOf(windower);
    driver.process(batch(event(5)), 0);
    driver.finish();
    driver.restart();
    driver.process(batch(event(6), event(30)), 0);
    expect(driver.engine.stats()).toMatchObject({ counted: 2, late: 1 });
  });

  test("state is bounded: the key whose windows ended first is forgotten, and its windows stay closed", () => {
    const driver = driverOf(windower, { maxKeysPerWindow: 3 });
    for (let i = 0; i < 20; i++) {
      driver.process(batch(event(i * 20, `key-${String(i)}`)), i * 20);
      driver.advance(i * 20 + 19);
      driver.commit();
      expect(driver.store.fields).toBeLessThanOrEqual(3 + 1);
    }
    driver.restart();
    const before = driver.results.length;
    // One that is forgotten, and one that is held.
    driver.process(batch(event(1, "key-0"), event(321, "key-16"), event(361, "key-18")), driver.now);
    expect(driver.engine.stats()).toMatchObject({ counted: 20, late: 3, overflowed: 0 });
    expect(driver.results).toHaveLength(before);
    // A new key may begin where no forgotten one had a window.
    driver.process(batch(event(400, "new")), driver.now);
    expect(driver.engine.stats()).toMatchObject({ counted: 21, overflowed: 0 });
    driver.finish();
    const names = driver.results.map(({ key, window }) => `${key} ${String(window.id)}`);
    expect(new Set(names).size).toBe(names.length);
  });

  test("keys with windows are not forgotten: more keys count under the overflow key", () => {
    const driver = driverOf(windower, { maxKeysPerWindow: 2, clock: eventClock("unbounded") });
    driver.process(batch(event(1, "a"), event(1, "b"), event(1, "c")), 0);
    expect(driver.engine.stats()).toMatchObject({ counted: 3, overflowed: 1 });
  });
});

test("a session of a forgotten key has a new number", () => {
  const driver = driverOf(session(4), { maxKeysPerWindow: 1 });
  for (const key of ["a", "b", "a", "b"]) {
    driver.process(batch(event(driver.results.length * 100, key)), driver.results.length * 100);
    driver.advance(driver.results.length * 100 + 50);
  }
  const names = driver.results.map(({ key, window }) => `${key} ${String(window.id)}`);
  expect(new Set(names).size).toBe(4);
});

test("on the system clock a key without windows has no state", () => {
  const driver = driverOf(tumbling(10), { clock: systemTime() });
  driver.process(batch(event(0, "a"), event(0, "b")), 5);
  driver.commit();
  driver.advance(10);
  driver.commit();
  expect(driver.store.load().map(([group]) => group)).toEqual(["engine"]);
});
