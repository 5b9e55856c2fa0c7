import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import {
  WindowEventError,
  WindowOptionsError,
  WindowSpecError,
  WindowStateError,
  count,
  createWindowEngine,
  stateSpecOf,
  type CustomWindower,
  type WindowEngineOptions,
} from "../src/index.ts";
import { CalendarDays } from "./examples/calendar-days.ts";
import { StreamOracle } from "./oracle/stream-oracle.ts";
import { BothWindower, PatternWindower } from "./support/custom-windowers.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";
import { scripts } from "./support/scripts.ts";

const HOUR = 3_600_000;
const MADRID = new CalendarDays("Europe/Madrid");

type Options = WindowEngineOptions<TestEvent, number, number>;

function optionsFor(windower: CustomWindower, more: Partial<Options> = {}): Options {
  return { windower, clock: eventClock(), fold: count(), ...more };
}

describe("a custom windower", () => {
  test("closes a day of 23 hours at its end, without another event", () => {
    const engine = createWindowEngine(optionsFor(MADRID));
    const noon = Date.parse("2026-03-29T12:00+02:00");
    const midnight = Date.parse("2026-03-30T00:00+02:00");
    engine.process(batch(event(noon)), noon);
    expect(engine.nextWake(noon)).toEqual({ at: midnight, needs: "drained" });
    expect(engine.drained(midnight - 1).results).toEqual([]);
    expect(engine.drained(midnight).results).toMatchObject([
      {
        value: 1,
        cause: "watermark",
        window: { id: 20260329, open: midnight - 23 * HOUR, close: midnight },
      },
    ]);
    expect(engine.process(batch(event(noon + 1)), midnight).late).toMatchObject([
      { windows: [{ id: 20260329 }] },
    ]);
  });

  test("is called once for each window if it is exclusive, once for each event if not", () => {
    const asked = (exclusive: boolean): number => {
      const windower = new PatternWindower([1_000], exclusive);
      let calls = 0;
      const counting: CustomWindower = {
        kind: "custom",
        description: "counted",
        exclusive,
        assign(timestamp) {
          calls++;
          return windower.assign(timestamp);
        },
      };
      const engine = createWindowEngine(optionsFor(counting));
      engine.process(batch(...Array.from({ length: 500 }, (_, ts) => event(ts))), 0);
      return calls;
    };
    expect([asked(true), asked(false)]).toEqual([1, 500]);
  });

  test("counts an event in all of its windows, and keeps them for revisions", () => {
    const windower = new BothWindower(new PatternWindower([10]), new PatternWindower([4]));
    const driver = new EngineDriver(optionsFor(windower, { allowedLateness: 8 }));
    driver.process(batch(event(1), event(9)), 0);
    driver.restart(0);
    const rows = driver.process(batch(event(2)), 0);
    expect(
      rows.map(({ window: { open, close }, value, revision, cause }) => [
        open,
        close,
        value,
        revision,
        cause,
      ]),
    ).toEqual([[0, 4, 2, 1, "late"]]);
    expect(driver.finish().map(({ window: { open, close }, value }) => [open, close, value])).toEqual([
      [0, 10, 3],
      [8, 12, 1],
    ]);
  });

  test("refuses state of another description", () => {
    const days = optionsFor(MADRID);
    const others = optionsFor(new CalendarDays("Asia/Tokyo"));
    expect(stateSpecOf(days)).toContain("days in Europe/Madrid");
    const driver = new EngineDriver(days);
    driver.process(batch(event(0)), 0);
    driver.commit();
    expect(() => {
      createWindowEngine(others).restore(driver.store.load(), 0);
    }).toThrow(WindowStateError);
  });

  test("refuses state with a window that it does not assign any more", () => {
    const driver = new EngineDriver(optionsFor(new PatternWindower([10])));
    driver.process(batch(event(12)), 0);
    driver.commit();
    const changed: CustomWindower = {
      kind: "custom",
      description: new PatternWindower([10]).description,
      assign: (timestamp) => new PatternWindower([7]).assign(timestamp),
    };
    expect(() => {
      createWindowEngine(optionsFor(changed)).restore(driver.store.load(), 0);
    }).toThrow(WindowStateError);
  });

  test("needs a description, and the time model stream", () => {
    expect(() => createWindowEngine(optionsFor({ ...plain, description: "" }))).toThrow(WindowSpecError);
    expect(() => createWindowEngine(optionsFor(plain, { timeModel: "perKey" }))).toThrow(WindowOptionsError);
  });

  test("is explained by its description", () => {
    expect(createWindowEngine(optionsFor(MADRID)).explain()).toMatch(/^Windows: days in Europe\/Madrid\. /);
  });

  const plain: CustomWindower = {
    kind: "custom",
    description: "tens",
    assign: (timestamp) => new PatternWindower([10]).assign(timestamp),
  };

  const broken: readonly (readonly [string, CustomWindower, string])[] = [
    ["no window", { ...plain, assign: () => [] }, "no window"],
    [
      "another time's window",
      { ...plain, assign: () => [{ id: 1, open: 50, close: 60 }] },
      "does not hold it",
    ],
    ["half a ms", { ...plain, assign: () => [{ id: 1, open: 0, close: 60.5 }] }, "whole ms"],
    ["no whole id", { ...plain, assign: () => [{ id: 0.5, open: 0, close: 60 }] }, "the id 0.5"],
    [
      "two windows of one id",
      { ...plain, assign: (ts) => [{ id: 1, open: ts, close: ts + 100 }] },
      "two windows with the id 1",
    ],
    [
      "two windows though exclusive",
      { ...plain, exclusive: true, assign: () => [1, 2].map((id) => ({ id, open: 0, close: 60 })) },
      "more than one window",
    ],
  ];

  test.each(broken)("that gives an event %s fails on it, or leaves it out", (_, windower, what) => {
    const events = batch(event(1), event(2));
    const failing = createWindowEngine(optionsFor(windower));
    expect(() => failing.process(events, 0)).toThrow(WindowEventError);
    const skipping = createWindowEngine(optionsFor(windower, { onError: "skip" }));
    const { skipped } = skipping.process(events, 0);
    expect(skipped.at(-1)?.error).toMatchObject({
      code: WindowSpecError.code,
      message: expect.stringContaining(what),
    });
  });
});

describe("days of a time zone, against the oracle", () => {
  test("emit the same rows with any batches, commits and restarts", () => {
    const zones = fc.constantFrom(
      ["Europe/Madrid", "2026-03-29T01:00Z"] as const,
      ["Europe/Madrid", "2026-10-25T01:00Z"] as const,
      ["America/Havana", "2026-11-01T05:00Z"] as const,
    );
    const lateness = fc.constantFrom(0, 6 * HOUR, 30 * HOUR);
    fc.assert(
      fc.property(zones, lateness, scripts, ([timeZone, change], allowedLateness, actions) => {
        // A ms of the script is a quarter of an hour, so that the script lasts for days.
        const timeOf = (ms: number): number => Date.parse(change) + (ms - 200) * (HOUR / 4);
        const windower = new CalendarDays(timeZone);
        const oracle = new StreamOracle({
          windower,
          waitMs: 0,
          idle: "drained",
          allowedLateness,
          ordered: false,
          fold: { result: (values) => values.length, overflow: () => 0 },
          isBad: () => false,
        });
        const driver = new EngineDriver(optionsFor(windower, { allowedLateness }));
        for (const action of actions) {
          const now = timeOf(action.now);
          if (action.do === "process") {
            const events = action.events.map((each) => ({ ...each, ts: timeOf(each.ts) }));
            expect(shapeOf(driver.process(batch(...events), now).map(flat))).toEqual(
              shapeOf(oracle.process(events, now)),
            );
          } else if (action.do === "drained") {
            expect(shapeOf(driver.drained(now).map(flat))).toEqual(shapeOf(oracle.drained(now)));
          } else if (action.do === "restart") {
            driver.restart(now);
            oracle.restart(now);
          } else if (action.do === "advance") {
            driver.advance(now);
            oracle.advance(now);
          } else driver.commit();
        }
        expect(shapeOf(driver.finish().map(flat))).toEqual(shapeOf(oracle.finish()));
        expect(driver.late.length).toBe(oracle.late.length);
      }),
      { numRuns: 100 },
    );
  });

  interface Shape {
    readonly key: string;
    readonly id: unknown;
    readonly open: number;
    readonly close: number;
    readonly value: unknown;
    readonly revision: number;
    readonly cause: string;
  }

  function flat({ window: { id, open, close }, ...row }: ReturnType<Driver["finish"]>[number]): Shape {
    return { ...row, id, open, close };
  }

  function shapeOf(rows: readonly Shape[]): readonly string[] {
    return rows
      .map(({ key, id, open, close, value, revision, cause }) =>
        JSON.stringify([close, id, key, revision, value, cause, open]),
      )
      .sort();
  }

  type Driver = EngineDriver<TestEvent, number, number>;
});

test("the guide shows the example", () => {
  const guide = readFileSync(join(import.meta.dirname, "../../../docs/write-a-windower.md"), "utf8");
  const example = readFileSync(join(import.meta.dirname, "examples/calendar-days.ts"), "utf8");
  expect(guide).toContain(example.replace("../../src/index.ts", "@millrace/windowing"));
});
