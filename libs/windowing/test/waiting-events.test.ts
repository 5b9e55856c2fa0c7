import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import {
  WindowEventError,
  WindowStateError,
  collectList,
  count,
  createWindowEngine,
  join,
  session,
  systemTime,
  tumbling,
  type WindowEngineOptions,
} from "../src/index.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";

const HOUR = 3_600_000;
type Options = WindowEngineOptions<TestEvent, unknown, unknown>;
const base: Options = {
  timeModel: "perKey",
  ordered: true,
  windower: tumbling(1_000),
  clock: eventClock(HOUR),
  fold: collectList(({ value }: TestEvent) => value),
};

function bytesOf(changes: unknown): number {
  return JSON.stringify(changes).length;
}

function many(length: number, tsOf: (index: number) => number): ReturnType<typeof batch> {
  return batch(...Array.from({ length }, (_, index) => event(tsOf(index), "a", index)));
}

describe("events that wait in order (perKey)", () => {
  test("leave the state a few at a time, at a cost in proportion to those that leave", () => {
    const driver = new EngineDriver({ ...base, fold: count() });
    driver.process(
      many(20_000, (index) => index),
      0,
    );
    driver.commit();
    const whole = bytesOf(driver.store.load());
    for (let until = 2_000; until <= 20_000; until += 2_000) {
      driver.advance(HOUR + until - 20_000 + 19_999);
      const changes = driver.engine.snapshot();
      expect(bytesOf(changes)).toBeLessThan(whole / 4);
      driver.store.apply(changes);
    }
    driver.advance(3 * HOUR);
    driver.commit();
    expect(driver.store.load().map(([group]) => group)).toEqual(["keys", "engine"]);
  });

  test("do not stay in the state because of a few that wait long", () => {
    const driver = new EngineDriver({ ...base, clock: eventClock(100_000) });
    for (let round = 0; round < 20; round++) {
      const ahead = event(round * 1_000 + 99_900, "a", -1);
      const events = Array.from({ length: 1_000 }, (_, index) => event(round * 1_000, "a", index));
      driver.process(batch(ahead, ...events), 0);
      driver.commit();
    }
    expect(driver.late).toEqual([]);
    expect(bytesOf(driver.store.load())).toBeLessThan(200_000);
  });

  test("keep their order over restarts, equal ones in order of arrival", () => {
    const timestamps = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 40 });
    fc.assert(
      fc.property(timestamps, fc.integer({ min: 1, max: 7 }), (stamps, every) => {
        const driver = new EngineDriver({ ...base, clock: eventClock(3) });
        stamps.forEach((ts, value) => {
          driver.process(batch(event(ts, "a", value)), 0);
          if (value % every === 0) driver.restart();
        });
        const taken = stamps.map((ts, value) => ({ ts, value }));
        const late = new Set(driver.late.map(({ value }) => value.value));
        const expected = taken.filter(({ value }) => !late.has(value)).sort((a, b) => a.ts - b.ts);
        const rows = driver.finish();
        expect(rows.flatMap(({ value }) => value)).toEqual(expected.map(({ value }) => value));
      }),
      { numRuns: 200 },
    );
  });

  test("a crash loses nothing that was committed, and counts nothing twice", () => {
    const batches = fc.array(
      fc.record({
        stamps: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 6 }),
        then: fc.constantFrom("commit", "crash", "nothing"),
      }),
      { maxLength: 15 },
    );
    fc.assert(
      fc.property(batches, fc.constantFrom(1, 3, 100), (script, maxOrderedEvents) => {
        const options = {
          ...base,
          clock: eventClock(20),
          windower: tumbling(10),
          maxOrderedEvents,
        };
        const events = script.map(({ stamps }, round) =>
          batch(...stamps.map((ts, index) => event(ts, "a", 100 * round + index))),
        );
        const steady = new EngineDriver(options);
        for (const each of events) steady.process(each, 0);
        steady.finish();
        const crashing = new EngineDriver(options);
        crashing.commit();
        let committed = 0;
        script.forEach(({ then }, round) => {
          crashing.process(events[round] ?? batch(), 0);
          if (then === "commit") {
            crashing.commit();
            committed = round + 1;
          } else if (then === "crash") {
            crashing.crash(0);
            for (let again = committed; again <= round; again++)
              crashing.process(events[again] ?? batch(), 0);
          }
        });
        crashing.finish();
        const rowsOf = ({ results }: typeof steady): Map<number, unknown> =>
          new Map(results.map((row) => [row.window.open, row]));
        expect(rowsOf(crashing)).toEqual(rowsOf(steady));
        expect(crashing.engine.stats()).toEqual(steady.engine.stats());
      }),
      { numRuns: 200 },
    );
  });

  test("that do not fit are counted in the rows of their windows, also after a restart", () => {
    const driver = new EngineDriver({ ...base, maxOrderedEvents: 3 });
    driver.process(batch(event(1), event(2), event(2_001), event(3), event(2_002)), 0);
    driver.restart();
    driver.process(batch(event(4), event(1_001), event(2_000)), 0);
    driver.restart();
    const rows = driver.finish().map(({ window, value, overflow }) => [window.open, value, overflow]);
    expect(rows).toEqual([
      [0, [1, 1], 2],
      [1_000, [1], undefined],
      [2_000, [1], 2],
    ]);
    expect(driver.engine.stats()).toMatchObject({ counted: 8, overflowedValues: 4 });
  });

  test("are counted in the session that they would have been in", () => {
    const windower = session(10);
    const driver = new EngineDriver({ ...base, windower, clock: eventClock(20), maxOrderedEvents: 1 });
    driver.process(batch(event(0), event(5), event(18), event(9)), 0);
    driver.restart();
    const rows = driver.finish().map(({ window, value, overflow }) => [window.open, value, overflow]);
    expect(rows).toEqual([
      [0, [1], 2],
      [18, [1], undefined],
    ]);
  });

  test("are in the rows of matches, too", () => {
    const sides = {
      left: ({ value }: TestEvent) => value || undefined,
      right: ({ value }: TestEvent) => value,
    };
    const fold = join({ sides, emit: "running" });
    const driver = new EngineDriver<TestEvent, unknown, unknown>({ ...base, fold, maxOrderedEvents: 1 });
    driver.process(batch(event(1), event(2)), 0);
    expect(driver.finish()).toMatchObject([{ cause: "match", overflow: 1 }]);
  });

  test("of more than 64 KiB are left out if another one of their windows waits", () => {
    const text = (length: number): { ts: number; key: string; value: number; text: string } => ({
      ...event(1),
      text: "x".repeat(length),
    });
    const driver = new EngineDriver<TestEvent, unknown, unknown>({ ...base, fold: count() });
    driver.process(batch(event(1), text(70_000), text(100)), 0);
    driver.commit();
    expect(driver.finish()).toMatchObject([{ value: 2, overflow: 1 }]);
  });

  test("must be JSON, which is checked when they come", () => {
    const engine = createWindowEngine({ ...base, fold: count() });
    expect(() => engine.process(batch({ ...event(1), value: Number.NaN }), 0)).toThrow(WindowEventError);
  });

  test("need not be JSON on the system clock, since none waits", () => {
    const driver = new EngineDriver({ ...base, clock: systemTime(), fold: count() });
    driver.process(batch({ ...event(1), value: Number.NaN }), 0);
    expect(driver.finish()).toMatchObject([{ value: 1 }]);
  });

  test("are refused if some of them are missing from the state", () => {
    const driver = new EngineDriver(base);
    driver.process(batch(event(1)), 0);
    driver.commit();
    const groups = driver.store.load().filter(([group]) => group !== "1:aqueue");
    expect(groups).toHaveLength(2);
    expect(() => {
      createWindowEngine(base).restore(groups, 0);
    }).toThrow(WindowStateError);
  });
});
