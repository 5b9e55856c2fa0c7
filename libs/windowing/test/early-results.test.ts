import { describe, expect, test } from "@jest/globals";

import {
  collectList,
  SessionWindower,
  TumblingWindower,
  type TimeModel,
  type Windower,
} from "../src/index.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";

const tumbling = new TumblingWindower({ lengthMs: 10_000 });
const sessions = new SessionWindower({ gapMs: 10_000 });
const cases: readonly (readonly [string, Windower, TimeModel])[] = [
  ["tumbling windows", tumbling, "stream"],
  ["sessions", sessions, "stream"],
  ["tumbling windows, perKey", tumbling, "perKey"],
  ["sessions, perKey", sessions, "perKey"],
];

describe.each(cases)("early results of %s", (_, windower, timeModel) => {
  const fold = collectList(({ value }: TestEvent) => value);
  const options = { windower, timeModel, fold, clock: eventClock(), earlyEveryMs: 100 };

  test("come every so often if something changed, and the closing row is their successor", () => {
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

  test("leave in pages", () => {
    const driver = new EngineDriver({ ...options, pageSize: 1 });
    driver.process(batch(event(1, "a", 1), event(1, "b", 2), event(1, "c", 3)), 10);
    expect(driver.engine.advance(110).results).toHaveLength(1);
    expect(driver.engine.pending).toBe(true);
    expect(driver.engine.nextPage().results).toHaveLength(1);
    expect(driver.engine.nextPage().results).toHaveLength(1);
    expect(driver.engine.nextPage().results).toHaveLength(0);
    expect(driver.engine.pending).toBe(false);
  });

  test("a restart shows again what changed, and nothing else", () => {
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

test("an early result does not come again after its window has closed, though the window is kept", () => {
  const fold = collectList(({ value }: TestEvent) => value);
  const options = {
    windower: tumbling,
    fold,
    clock: eventClock(),
    earlyEveryMs: 100,
    allowedLatenessMs: 5_000,
  };
  const driver = new EngineDriver(options);
  driver.process(batch(event(1, "a", 1)), 10);
  expect(driver.process(batch(event(10_000, "b", 2)), 20)).toMatchObject([
    { key: "a", revision: 0, cause: "watermark" },
  ]);
  expect(driver.advance(200)).toMatchObject([{ key: "b", cause: "early" }]);
});
