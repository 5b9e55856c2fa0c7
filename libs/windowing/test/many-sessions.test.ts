import { describe, expect, test } from "@jest/globals";

import { count, session, type TimeModel } from "../src/index.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";

const MANY = 20_000;
const windower = session(4);

/** Numbers up to `size`, each once and in no order. */
function scattered(size: number): number[] {
  return Array.from({ length: size }, (_, index) => (index * 7_919) % size);
}

describe.each<TimeModel>(["stream", "perKey"])("many sessions of one key (%s)", (timeModel) => {
  const options = { windower, timeModel, fold: count(), clock: eventClock("unbounded") };

  test("each is found again for events out of order", () => {
    const driver = new EngineDriver(options);
    const events = (offset: number): TestEvent[] => scattered(MANY).map((n) => event(n * 10 + offset));
    driver.process(batch(...events(0)), 0);
    driver.process(batch(...events(1)), 0);
    expect(driver.engine.stats().cells).toBe(MANY);
    expect(driver.finish().every(({ value }) => value === 2)).toBe(true);
    expect(driver.results).toHaveLength(MANY);
  });

  test("the sessions that one merged are a number; neither its row nor its state grows with them", () => {
    const driver = new EngineDriver(options);
    const merges = 8_000;
    for (let i = 0; i <= merges; i++) driver.process(batch(event(i * 8)), 0);
    for (const i of scattered(merges)) driver.process(batch(event(i * 8 + 4)), 0);
    driver.commit();
    expect(JSON.stringify(driver.store.load()).length).toBeLessThan(2_000);
    driver.restart();
    const [row] = driver.finish();
    expect(row).toMatchObject({ value: 2 * merges + 1, window: { merged: merges } });
    expect(row?.window.mergedIds.length).toBeLessThanOrEqual(100);
  });
});

test("a session names the merged ones whose rows were emitted, and no others (stream)", () => {
  const driver = new EngineDriver({
    windower,
    fold: count(),
    clock: eventClock(),
    allowedLateness: 100_000,
  });
  driver.process(batch(event(10), event(20), event(60, "z"), event(30)), 0);
  driver.process(batch(event(59), event(51), event(55)), 0);
  const [first, second] = driver.results.filter(({ key }) => key === "a").map(({ window }) => window.id);
  const rows = driver.process(batch(event(14), event(17)), 0);
  expect(rows).toMatchObject([{ window: { id: first, mergedIds: [second], merged: 1 }, replaces: [second] }]);
  const [open] = driver.finish().filter(({ key }) => key === "a");
  expect(open?.window).toMatchObject({ open: 51, close: 59, mergedIds: [], merged: 1 });
});
