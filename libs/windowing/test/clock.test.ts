import { describe, expect, test } from "@jest/globals";

import {
  WindowSpecError,
  count,
  createWindowEngine,
  eventTime,
  messageTime,
  systemTime,
  tumbling,
} from "../src/index.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";

const windower = tumbling(10);
const fold = count();

describe("eventTime", () => {
  test("refuses impossible specifications", () => {
    expect(() => eventClock(-1)).toThrow(WindowSpecError);
    expect(() => eventClock(0.5)).toThrow(WindowSpecError);
    expect(() => eventClock(0, -1)).toThrow("maxFuture is -1");
    expect(() => eventClock(0, Number.NaN)).toThrow(WindowSpecError);
  });

  test("refuses an event too far in the future, so that it makes no other event late", () => {
    const engine = createWindowEngine({ windower, fold, clock: eventClock(0, 100) });
    const output = engine.process(batch(event(5), event(111), event(110), event(6)), 10);
    expect(output.refused).toEqual([
      { key: "a", value: event(111), timestamp: 111, reason: "future-timestamp", limit: 110 },
    ]);
    expect(output.late.map(({ timestamp }) => timestamp)).toEqual([6]);
    expect(engine.stats()).toMatchObject({ counted: 2, late: 1, refused: 1, watermark: 110 });
  });

  test("measures the future from the arrival of the message, if that is known", () => {
    const engine = createWindowEngine({ windower, fold, clock: eventClock(0, 100) });
    const { keys, values } = batch(event(150), event(150), event(150));
    const output = engine.process({ keys, values, times: [49, 50, Number.NaN] }, 50);
    expect(output.refused.map(({ limit }) => limit)).toEqual([149]);
    expect(engine.stats()).toMatchObject({ counted: 2, refused: 1 });
  });

  test("refuses an event more than 5 minutes ahead by default", () => {
    for (const timeModel of ["stream", "perKey"] as const) {
      const clock = eventTime(({ ts }: TestEvent) => ts, { wait: 0 });
      const engine = createWindowEngine({ windower, fold, clock, timeModel });
      const { keys, values } = batch(event(4_102_444_800_000), event(1_000_300_000), event(1_000_300_001));
      const { refused } = engine.process({ keys, values }, 1_000_000_000);
      expect(refused.map(({ limit }) => limit)).toEqual([1_000_300_000, 1_000_300_000]);
      const open = eventTime(({ ts }: TestEvent) => ts, { wait: 0, maxFuture: "unbounded" });
      const trusting = createWindowEngine({ windower, fold, clock: open, timeModel });
      expect(trusting.process({ keys, values }, 1_000_000_000).refused).toEqual([]);
    }
  });

  test("does not use a message's time in the future as its arrival", () => {
    const future = 4_102_444_800_000;
    const engine = createWindowEngine({ windower, fold, clock: eventClock(0, 100) });
    const { keys, values } = batch(event(future), event(150));
    const output = engine.process({ keys, values, times: [future, future] }, 50);
    expect(output.refused).toMatchObject([{ timestamp: future, limit: 150 }]);
    const published = createWindowEngine({ windower, fold, clock: messageTime({ wait: 0 }) });
    const { refused } = published.process({ keys, values, times: [future, 60] }, 50);
    expect(refused).toMatchObject([{ timestamp: future, reason: "future-timestamp" }]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 9e15, -9e15])(
    "refuses the timestamp %p",
    (ts) => {
      const engine = createWindowEngine({ windower, fold, clock: eventClock() });
      const { refused } = engine.process(batch(event(ts)), 0);
      expect(refused).toMatchObject([{ reason: "invalid-timestamp", timestamp: ts }]);
      expect(engine.stats()).toMatchObject({ counted: 0, refused: 1, watermark: Number.NEGATIVE_INFINITY });
    },
  );

  test("refuses what only looks like a number", () => {
    const clock = eventTime((value: { ts: unknown }) => value.ts as number, { wait: 0 });
    const engine = createWindowEngine({ windower, fold, clock });
    expect(engine.process({ keys: ["a"], values: [{ ts: "5" }] }, 0).refused).toHaveLength(1);
  });

  test("reads the time by the name of its field", () => {
    const engine = createWindowEngine<{ ts: number }, unknown, number>({
      windower,
      fold,
      clock: eventTime("ts", { wait: "3ms" }),
    });
    expect(engine.process({ keys: ["a", "a"], values: [{ ts: 0 }, { ts: 13 }] }, 99).results).toMatchObject([
      { value: 1 },
    ]);
  });

  test.each([
    [new Date(5), 5],
    ["1970-01-01T00:00:00.005Z", 5],
    ["1970-01-01T01:00:00.005+01:00", 5],
    ["1969-12-31T23:59Z", -60_000],
  ])("accepts %p as a timestamp", (ts, ms) => {
    const clock = eventTime((value: { ts: string | Date }) => value.ts, { wait: 10 });
    const engine = createWindowEngine({ windower, fold, clock });
    engine.process({ keys: ["a"], values: [{ ts }] }, 99);
    expect(engine.stats()).toMatchObject({ counted: 1, watermark: ms - 10 });
  });

  test.each([
    "1970-01-01T00:00:00.005",
    "1970-01-01",
    "5",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "",
    new Date(NaN),
  ])("refuses %p, which is not an instant", (ts) => {
    const clock = eventTime((value: { ts: string | Date }) => value.ts, { wait: 0 });
    const engine = createWindowEngine({ windower, fold, clock });
    expect(engine.process({ keys: ["a"], values: [{ ts }] }, 99).refused).toMatchObject([
      { reason: "invalid-timestamp" },
    ]);
  });

  test.each([
    [1_763_848_800, 1_763_848_800_000],
    [1.0005, 1_001],
    [-1, -1_000],
    ["1763848800", 1_763_848_800_000],
    ["1.0005", 1_001],
    ["-1", -1_000],
    ["1970-01-01T00:00:00.005Z", 5],
  ])("with unit s, takes %p for a time in seconds", (ts, ms) => {
    const clock = eventTime((value: { ts: number | string }) => value.ts, { unit: "s", wait: 10 });
    const engine = createWindowEngine({ windower, fold, clock });
    engine.process({ keys: ["a"], values: [{ ts }] }, 1_763_848_800_000);
    expect(engine.stats()).toMatchObject({ counted: 1, watermark: ms - 10 });
  });

  test("with unit ms, also takes a text of digits for a time", () => {
    const clock = eventTime("ts", { unit: "ms", wait: 0 });
    const engine = createWindowEngine({ windower, fold, clock });
    const values = [{ ts: "5" }, { ts: 6 }, { ts: "1970-01-01T00:00:00.007Z" }];
    engine.process({ keys: ["a", "a", "a"], values }, 99);
    expect(engine.stats()).toMatchObject({ counted: 3, watermark: 7 });
  });

  test.each(["", " 5", "5s", "1e3", "0x10", "Infinity", "1."])(
    "with a unit, refuses %j, which is no text of digits",
    (ts) => {
      const clock = eventTime("ts", { unit: "ms", wait: 0 });
      const engine = createWindowEngine({ windower, fold, clock });
      expect(engine.process({ keys: ["a"], values: [{ ts }] }, 99).refused).toMatchObject([
        { reason: "invalid-timestamp" },
      ]);
    },
  );

  test("with unit s, refuses a time in milliseconds, which is too far ahead", () => {
    const now = 1_763_848_800_000;
    const clock = eventTime((value: { ts: number | string }) => value.ts, { unit: "s", wait: 0 });
    const engine = createWindowEngine({ windower, fold, clock });
    const values = [{ ts: now }, { ts: String(now) }, { ts: Number.NaN }];
    expect(engine.process({ keys: ["a", "a", "a"], values }, now).refused).toMatchObject([
      { reason: "future-timestamp" },
      { reason: "future-timestamp" },
      { reason: "invalid-timestamp" },
    ]);
    expect(() => eventTime("ts", { unit: "us" as "s", wait: 0 })).toThrow('unit is "us"');
  });

  test("with messageTime, an event's time is that of its message", () => {
    const engine = createWindowEngine({ windower, fold, clock: messageTime({ wait: 0 }) });
    const output = engine.process(
      { keys: ["a", "a", "a"], values: [1, 2, 3], times: [5, Number.NaN, 10] },
      99,
    );
    expect(output.results).toMatchObject([{ window: { open: 0, close: 10 }, value: 1 }]);
    expect(output.refused).toMatchObject([{ value: 2, reason: "invalid-timestamp" }]);
  });
});

describe("systemTime", () => {
  test("an event's time is its arrival, and windows close without a next event", () => {
    const engine = createWindowEngine({ windower, fold, clock: systemTime() });
    expect(engine.process(batch(event(0), event(999)), 4).results).toEqual([]);
    expect(engine.nextWake(4)).toEqual({ at: 10, needs: "time" });
    expect(engine.advance(9).results).toEqual([]);
    expect(engine.advance(10).results).toMatchObject([{ value: 2, cause: "watermark" }]);
    expect(engine.nextWake(10)).toBeUndefined();
  });

  test("time does not go back when the system clock does", () => {
    const engine = createWindowEngine({ windower, fold, clock: systemTime() });
    engine.process(batch(event(0)), 15);
    engine.process(batch(event(0)), 3);
    expect(engine.stats()).toMatchObject({ counted: 2, late: 0, watermark: 15 });
    expect(engine.advance(20).results).toMatchObject([{ value: 2, window: { open: 10 } }]);
  });
});
