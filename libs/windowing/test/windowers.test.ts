import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { WindowSpecError, count, createWindowEngine, session, sliding, tumbling } from "../src/index.ts";
import { batch, event, eventClock } from "./support/events.ts";

describe("tumbling", () => {
  test("numbers windows from alignTo, also before it", () => {
    const windower = tumbling(10, { alignTo: 3 });
    expect(windower.windowsAt(2)).toEqual([{ id: -1, open: -7, close: 3, mergedIds: [] }]);
    expect(windower.windowsAt(3)).toEqual([{ id: 0, open: 3, close: 13, mergedIds: [] }]);
    expect(windower.windowsAt(12)).toEqual([{ id: 0, open: 3, close: 13, mergedIds: [] }]);
  });

  test("never returns the id −0", () => {
    expect(Object.is(tumbling(10).lastIdAt(-0), 0)).toBe(true);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses the length %p", (lengthMs) => {
    expect(() => tumbling(lengthMs)).toThrow(WindowSpecError);
  });

  test("refuses an alignment that is not an instant", () => {
    expect(() => tumbling(1, { alignTo: Number.NaN })).toThrow("alignTo is NaN");
  });
});

test("lengths are numbers of ms or strings", () => {
  expect(tumbling("1.5s")).toEqual(tumbling(1_500));
  expect(sliding("10s", { every: "1s" })).toEqual(sliding(10_000, { every: 1_000 }));
  expect(session("5m")).toEqual(session(300_000));
  expect(() => tumbling("0s")).toThrow(
    "length is 0s, but must be a whole number of milliseconds of at least 1",
  );
  expect(() => sliding("10s", { every: "11s" })).toThrow("every (11s) is longer than length (10s)");
});

describe("sliding", () => {
  test("an event is in each window that is open at its time", () => {
    const windower = sliding(10, { every: 4 });
    expect(windower.idsAt(0)).toEqual([-2, -1, 0]);
    expect(windower.idsAt(2)).toEqual([-1, 0]);
    expect(windower.idsAt(9)).toEqual([0, 1, 2]);
  });

  test("refuses an offset longer than the length, with the reason", () => {
    expect(() => sliding(10, { every: 11 })).toThrow(/would belong to no window/);
  });

  test.each([
    { lengthMs: 0, offsetMs: 1 },
    { lengthMs: 1, offsetMs: 0 },
    { lengthMs: 10, offsetMs: -1 },
  ])("refuses %p", ({ lengthMs, offsetMs }) => {
    expect(() => sliding(lengthMs, { every: offsetMs })).toThrow(WindowSpecError);
  });

  test("ids are exactly those of the windows that contain the timestamp, also fractional and far ones", () => {
    const times = fc.oneof(
      fc.integer({ min: -1000, max: 1000 }),
      fc.integer({ min: -1_000_000, max: 1_000_000 }).map((micros) => micros / 1024),
      fc.integer({ min: 8.6e15 - 1000, max: 8.6e15 }),
    );
    const lengths = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(
        times,
        lengths,
        fc.integer({ min: 0, max: 50 }),
        fc.integer(),
        (ts, offsetMs, moreMs, alignToMs) => {
          const windower = sliding(offsetMs + moreMs, { every: offsetMs, alignTo: alignToMs });
          const ids = windower.idsAt(ts);
          const [first, last] = [windower.firstIdAt(ts), windower.lastIdAt(ts)];
          for (const id of ids) expect(windower.openOf(id) <= ts && ts < windower.closeOf(id)).toBe(true);
          expect(ids.length).toBeGreaterThan(0);
          expect(windower.closeOf(first - 1) <= ts).toBe(true);
          expect(windower.openOf(last + 1) > ts).toBe(true);
        },
      ),
    );
  });
});

describe("session", () => {
  test("a gap of 0 joins events of one instant", () => {
    const engine = createWindowEngine({
      windower: session(0),
      clock: eventClock(),
      fold: count(),
    });
    const { results } = engine.process(batch(event(5), event(5), event(6), event(9)), 0);
    expect(results.map(({ value }) => value)).toEqual([2, 1]);
  });

  test.each([-1, 0.5, Number.NaN])("refuses the gap %p", (gapMs) => {
    expect(() => session(gapMs)).toThrow(WindowSpecError);
  });
});
