import { describe, expect, test } from "@jest/globals";

import { StateStore } from "../conformance/state-store.ts";
import {
  Deduplicator,
  count,
  session,
  systemTime,
  tumbling,
  type TimeModel,
  type Windower,
} from "../src/index.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock } from "./support/events.ts";

const HOUR = 3_600_000;
const STOPPED = 8 * HOUR;
const LENGTH = 60_000;
const tumblingWindows = tumbling(LENGTH);
const sessions = session(30_000);

describe.each<readonly [string, TimeModel, Windower]>([
  ["tumbling windows", "stream", tumblingWindows],
  ["sessions", "stream", sessions],
  ["tumbling windows, perKey", "perKey", tumblingWindows],
  ["sessions, perKey", "perKey", sessions],
])("the time of a stop does not count: %s", (_, timeModel, windower) => {
  const options = { windower, timeModel, fold: count(), clock: eventClock(5_000) };

  test("a recording that continues after a stop of 8 hours has no late event", () => {
    const driver = new EngineDriver(options);
    let now = 1_000_000;
    let ts = 0;
    const read = (): void => {
      for (let i = 0; i < 1_000; i++, ts += 1_000, now += 1_000) {
        driver.process(batch(event(ts)), now);
        driver.drained(now + 500);
      }
    };
    read();
    driver.restart(now + STOPPED);
    now += STOPPED;
    driver.drained(now);
    read();
    // A second stop, with nothing between the first commit and it: what was restored still holds.
    driver.restart(now + STOPPED);
    driver.restart(now + 2 * STOPPED);
    now += 2 * STOPPED;
    driver.drained(now);
    read();
    expect(driver.engine.stats()).toMatchObject({ counted: 3_000, late: 0 });
  });

  test("the time before the last snapshot counts, and so does the time after the restart", () => {
    const driver = new EngineDriver(options);
    driver.process(batch(event(1_000)), 500_000);
    driver.advance(520_000);
    driver.restart(500_000 + STOPPED);
    const wake = driver.engine.nextWake(driver.now);
    const due = windower.kind === "session" ? 1_000 + 30_000 + 1 : 60_000;
    // Event time stood at −4 s, and 20 s had gone by.
    expect(wake?.at).toBe(500_000 + STOPPED + due - 16_000);
    expect(driver.drained((wake?.at ?? 0) - 1)).toEqual([]);
    expect(driver.drained(wake?.at ?? 0)).toHaveLength(1);
  });

  test("the system clock may be set back during the stop", () => {
    const driver = new EngineDriver(options);
    driver.process(batch(event(1_000)), 500_000);
    driver.restart(100_000);
    const wake = driver.engine.nextWake(driver.now);
    expect(wake?.at).toBe(100_000 + (windower.kind === "session" ? 31_001 : 60_000) + 4_000);
  });
});

test("a key without changes does not lose time: its clock continues with the others", () => {
  const driver = new EngineDriver({
    windower: tumblingWindows,
    timeModel: "perKey",
    fold: count(),
    clock: eventClock(),
  });
  driver.process(batch(event(0, "still")), 0);
  driver.commit();
  driver.process(batch(event(0, "other")), 50_000);
  driver.restart(50_000 + STOPPED);
  expect(driver.advance(50_000 + STOPPED + 9_999)).toEqual([]);
  expect(driver.advance(50_000 + STOPPED + 10_000)).toMatchObject([{ key: "still" }]);
});

describe.each<readonly [TimeModel, Windower]>([
  ["stream", tumblingWindows],
  ["perKey", tumblingWindows],
  ["stream", sessions],
  ["perKey", sessions],
])("on the system clock (%s)", (timeModel, windower) => {
  test("windows that ended during the stop close, and no event is late, even if the clock was set back", () => {
    const driver = new EngineDriver({ windower, timeModel, fold: count(), clock: systemTime() });
    driver.process(batch(event(0)), 10 * HOUR);
    driver.restart(10 * HOUR + STOPPED);
    expect(driver.advance(driver.now)).toHaveLength(1);
    driver.process(batch(event(0)), driver.now);
    driver.finish();
    driver.restart(10 * HOUR);
    driver.process(batch(event(0), event(0)), 10 * HOUR);
    expect(driver.engine.stats()).toMatchObject({ counted: 4, late: 0 });
    const firsts = driver.results.filter(({ revision }) => revision === 0);
    expect(new Set(firsts.map(({ window }) => window.id)).size).toBe(firsts.length);
  });
});

describe.each<readonly [TimeModel, Windower]>([
  ["stream", tumblingWindows],
  ["perKey", tumblingWindows],
])(
  "a restart under a clock that was set back by an hour, on the system clock (%s)",
  (timeModel, windower) => {
    const began = 10 * HOUR;

    function driverOf() {
      const driver = new EngineDriver({ windower, timeModel, fold: count(), clock: systemTime() });
      driver.process(batch(event(0)), began);
      return driver;
    }

    test("time continues evenly from the committed watermark", () => {
      const driver = driverOf();
      driver.restart(began - HOUR);
      const wake = driver.engine.nextWake(began - HOUR);
      if (wake === undefined) throw new Error("no window is open");
      expect(wake.at - (began - HOUR)).toBeLessThanOrEqual(LENGTH);
      expect(driver.advance(wake.at - 1)).toEqual([]);
      expect(driver.advance(wake.at)).toMatchObject([{ value: 1, cause: "watermark" }]);
      driver.process(batch(event(0)), wake.at + 1);
      expect(driver.advance(wake.at + LENGTH)).toMatchObject([{ value: 1 }]);
      expect(driver.engine.stats()).toMatchObject({ counted: 2, late: 0 });
    });

    test("after an end of input that closed windows early, time is not ahead of the clock", () => {
      const driver = driverOf();
      driver.finish();
      driver.restart(began);
      driver.process(batch(event(0)), began + LENGTH);
      expect(driver.results.at(-1)?.window.close).toBeLessThanOrEqual(began + LENGTH);
      expect(driver.advance(began + 3 * LENGTH).at(-1)?.window.close).toBeLessThanOrEqual(began + 3 * LENGTH);
      expect(driver.engine.watermarkOf("a")).toBe(began + 3 * LENGTH);
    });
  },
);

test("early results are due one interval after the restart", () => {
  const driver = new EngineDriver({
    windower: tumblingWindows,
    fold: count(),
    clock: eventClock(),
    earlyEvery: 1_000,
  });
  driver.process(batch(event(1)), 0);
  driver.restart(STOPPED);
  expect(driver.engine.nextWake(STOPPED)).toEqual({ at: STOPPED + 1_000, needs: "time" });
});

test("deduplication by system time keeps ids through a stop", () => {
  const store = new StateStore();
  const before = new Deduplicator({ within: HOUR });
  before.process({ ids: ["a"] }, 0);
  before.process({ ids: ["b"] }, HOUR / 2);
  store.apply(before.snapshot());
  const after = new Deduplicator({ within: HOUR });
  const now = HOUR / 2 + STOPPED;
  after.restore(store.load(), now);
  expect(after.process({ ids: ["a", "b"] }, now + HOUR / 2 - 1)).toEqual([]);
  expect(after.process({ ids: ["a", "b"] }, now + HOUR / 2)).toEqual([0]);
});
