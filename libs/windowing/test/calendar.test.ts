import "temporal-polyfill/global";

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import {
  DurationError,
  WindowSpecError,
  WindowStateError,
  count,
  createWindowEngine,
  session,
  sliding,
  stateSpecOf,
  tumbling,
  windowTime,
  type CalendarLength,
  type SlidingOptions,
  type WindowEngineOptions,
} from "../src/index.ts";
import { windowerConformance } from "../src/testing.ts";
import { StreamOracle } from "./oracle/stream-oracle.ts";
import { CalendarOracle } from "./oracle/calendar-oracle.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";
import { scripts } from "./support/scripts.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A window as instants in UTC, without seconds, and its length in hours. */
function shown(length: CalendarLength, timeZone: string, instant: string): readonly [string, string, number] {
  const [window] = tumbling(length, { timeZone }).windowsAt(Date.parse(instant));
  if (window === undefined) throw new Error("no window");
  const minute = (at: number): string => new Date(at).toISOString().slice(0, 16);
  return [minute(window.open), minute(window.close), (window.close - window.open) / HOUR];
}

describe("days", () => {
  test.each([
    ["Europe/Berlin", "2026-03-28T12:00Z", "2026-03-27T23:00", 24],
    ["Europe/Berlin", "2026-03-29T12:00Z", "2026-03-28T23:00", 23],
    ["Europe/Berlin", "2026-10-25T12:00Z", "2026-10-24T22:00", 25],
    // Midnight does not exist: the day begins at 01:00.
    ["America/Sao_Paulo", "2018-11-04T12:00Z", "2018-11-04T03:00", 23],
    ["Africa/Cairo", "2026-04-24T12:00Z", "2026-04-23T22:00", 23],
    // The clocks go back from midnight to 23:00: the day before is longer.
    ["America/Sao_Paulo", "2018-02-17T12:00Z", "2018-02-17T02:00", 25],
    ["Africa/Cairo", "2026-10-29T12:00Z", "2026-10-28T21:00", 25],
    // They go back from 00:01 to 23:01: the day that has begun continues.
    ["America/St_Johns", "2010-11-07T02:45Z", "2010-11-07T02:30", 25],
    // By half an hour; offsets of 30 and 45 minutes.
    ["Australia/Lord_Howe", "2026-04-04T15:00Z", "2026-04-04T13:00", 24.5],
    ["Asia/Kolkata", "2026-04-04T18:30Z", "2026-04-04T18:30", 24],
    ["Asia/Kathmandu", "2026-04-04T18:14Z", "2026-04-03T18:15", 24],
    // The zone left out a day.
    ["Pacific/Apia", "2011-12-30T09:59Z", "2011-12-29T10:00", 24],
    ["Pacific/Apia", "2011-12-30T10:00Z", "2011-12-30T10:00", 24],
  ])("in %s at %s", (timeZone, instant, open, hours) => {
    expect(shown("1d", timeZone, instant)).toEqual([open, expect.any(String), hours]);
  });

  test("are numbered from 1970-01-01 of the zone, several at a time too", () => {
    expect(tumbling("1d", { timeZone: "Asia/Tokyo" }).lastIdAt(-9 * HOUR)).toBe(0);
    expect(tumbling("1d", { timeZone: "Asia/Tokyo" }).lastIdAt(-9 * HOUR - 1)).toBe(-1);
    expect(shown("2d", "UTC", "1970-01-02T12:00Z").slice(0, 2)).toEqual([
      "1970-01-01T00:00",
      "1970-01-03T00:00",
    ]);
    expect(shown("2d", "UTC", "1969-12-31T12:00Z")[0]).toBe("1969-12-30T00:00");
  });
});

test("weeks begin on Monday", () => {
  expect(shown("1w", "Europe/Berlin", "2026-11-29T12:00Z")).toEqual([
    "2026-11-22T23:00",
    "2026-11-29T23:00",
    168,
  ]);
  expect(shown("1w", "Europe/Berlin", "2026-03-29T12:00Z")[2]).toBe(167);
  expect(shown("2w", "UTC", "1970-01-05T00:00Z")[0]).toBe("1970-01-05T00:00");
});

test("months and quarters begin on the first", () => {
  expect(shown("1mo", "Europe/Berlin", "2024-02-29T12:00Z")).toEqual([
    "2024-01-31T23:00",
    "2024-02-29T23:00",
    29 * 24,
  ]);
  expect(shown("3mo", "America/New_York", "2026-05-15T12:00Z").slice(0, 2)).toEqual([
    "2026-04-01T04:00",
    "2026-07-01T04:00",
  ]);
});

describe("refuses", () => {
  const zone = { timeZone: "Europe/Berlin" };

  test.each(["1h", "24h", "1.5d", "0d", "1", "mo", "1y", 86_400_000])("%p in a time zone", (length) => {
    expect(() => tumbling(length as CalendarLength, zone)).toThrow(DurationError);
    expect(() => tumbling(length as CalendarLength, zone)).toThrow(/whole days, weeks or months/);
  });

  test("months without a time zone, with what to do", () => {
    // @ts-expect-error a month has no fixed length
    expect(() => tumbling("1mo")).toThrow(/a month has no fixed length.*time zone/);
  });

  test.each(["Mars/Base", "", "Europe/berlinn"])("the time zone %j", (timeZone) => {
    expect(() => tumbling("1d", { timeZone })).toThrow(WindowSpecError);
    expect(() => tumbling("1d", { timeZone })).toThrow(/no time zone.*Europe\/Berlin/);
  });

  test("alignTo, and a time zone of windows that are not tumbling", () => {
    // @ts-expect-error windows of a time zone are aligned by its calendar
    expect(() => tumbling("1d", { ...zone, alignTo: 5 })).toThrow(/alignTo/);
    // @ts-expect-error only tumbling windows have a time zone
    const options: SlidingOptions = { every: "1d", ...zone };
    expect(() => sliding("2d", options)).toThrow(/sliding.*only tumbling/);
    // @ts-expect-error only tumbling windows have a time zone
    expect(() => session("1d", zone)).toThrow(/session.*only tumbling/);
  });
});

test("without a time zone a day is 24 hours, and a week seven of them", () => {
  expect(tumbling("1d")).toEqual(tumbling(DAY));
  expect(tumbling("1w")).toEqual(tumbling(7 * DAY));
  expect(sliding("1w", { every: "1d" })).toEqual(sliding(7 * DAY, { every: DAY }));
});

/** Zones, each with a time at which its clocks do something unusual. */
const CHANGES = [
  ["Europe/Berlin", "2026-03-29T01:00Z"],
  ["Europe/Berlin", "2026-10-25T01:00Z"],
  ["America/Sao_Paulo", "2018-11-04T03:00Z"],
  ["America/Sao_Paulo", "2018-02-18T02:00Z"],
  ["America/Havana", "2026-11-01T05:00Z"],
  ["America/St_Johns", "2010-11-07T02:31Z"],
  ["Africa/Cairo", "2026-04-23T22:00Z"],
  ["Africa/Cairo", "2026-10-29T21:00Z"],
  ["Asia/Kathmandu", "1985-12-31T18:30Z"],
  ["Australia/Lord_Howe", "2026-04-04T15:00Z"],
  ["Pacific/Apia", "2011-12-30T10:00Z"],
  ["Pacific/Chatham", "2026-09-26T14:00Z"],
] as const;

describe("against the clocks of Intl", () => {
  const lengths = fc.tuple(fc.constantFrom("d", "w", "mo"), fc.integer({ min: 1, max: 5 }));
  const times = fc.oneof(
    fc
      .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -40 * HOUR, max: 40 * HOUR }))
      .map(([[zone, change], ms]) => [zone, Date.parse(change) + ms] as const),
    fc.tuple(
      fc.constantFrom(...CHANGES).map(([zone]) => zone),
      fc.integer({ min: Date.parse("1970-01-01T00:00Z"), max: Date.parse("2060-01-01T00:00Z") }),
    ),
  );

  test("every instant is in the window of its date", () => {
    fc.assert(
      fc.property(lengths, times, ([unit, n], [timeZone, time]) => {
        const windower = tumbling(`${n}${unit}`, { timeZone });
        const oracle = new CalendarOracle(timeZone, unit, n);
        const [window] = windower.windowsAt(time + 0.5);
        expect(window).toEqual({ ...oracle.windowAt(time), mergedIds: [] });
      }),
      { numRuns: 100 },
    );
  });

  test("windows lie side by side", () => {
    fc.assert(
      fc.property(lengths, times, ([unit, n], [timeZone, time]) => {
        const windower = tumbling(`${n}${unit}`, { timeZone });
        const id = windower.lastIdAt(time);
        expect(windower.closeOf(id)).toBe(windower.openOf(id + 1));
        expect(windower.lastIdAt(windower.openOf(id))).toBe(id);
        expect(windower.lastIdAt(windower.closeOf(id) - 0.25)).toBe(id);
      }),
      { numRuns: 100 },
    );
  });
});

test.each(["1d", "1mo", "1000000w"] as const)("the ends of time are in a window of %s", (length) => {
  for (const timeZone of ["Pacific/Kiritimati", "Pacific/Niue", "UTC"]) {
    const windower = tumbling(length, { timeZone });
    for (const time of [-8.64e15, -8.64e15 + DAY, -0, 8.64e15 - DAY, 8.64e15]) {
      const [window] = windower.windowsAt(time);
      expect(window?.open).toBeLessThanOrEqual(time);
      expect(window?.close).toBeGreaterThan(time);
    }
  }
});

describe.each(CHANGES)("the suite of windowers: %s at %s", (timeZone, change) => {
  const middle = Date.parse(change);
  const timestamps = Array.from({ length: 60 }, (_, step) => middle + (step - 30) * HOUR - 1 + (step % 3));
  const build = () => tumbling("1d", { timeZone });
  for (const { name, run } of windowerConformance({ build, timestamps })) test(name, run);
});

type Options = WindowEngineOptions<TestEvent, number, number>;
const optionsOf = (length: CalendarLength, timeZone: string, more: Partial<Options> = {}): Options => ({
  windower: tumbling(length, { timeZone }),
  clock: eventClock(),
  fold: count(),
  ...more,
});

describe("an engine", () => {
  test.each(["stream", "perKey"] as const)("closes a day of 23 hours at its end (%s)", (timeModel) => {
    const engine = createWindowEngine(optionsOf("1d", "Europe/Berlin", { timeModel }));
    const noon = Date.parse("2026-03-29T12:00+02:00");
    const midnight = Date.parse("2026-03-30T00:00+02:00");
    engine.process(batch(event(noon)), noon);
    expect(engine.nextWake(noon)?.at).toBe(midnight);
    expect(engine.drained(midnight - 1).results).toEqual([]);
    expect(engine.drained(midnight).results).toMatchObject([
      { value: 1, window: { id: 20541, open: midnight - 23 * HOUR, close: midnight } },
    ]);
    expect(engine.process(batch(event(noon + 1)), midnight).late).toHaveLength(1);
  });

  test.each(["stream", "perKey"] as const)("refuses an event without a time (%s)", (timeModel) => {
    for (const allowedLateness of timeModel === "stream" ? [0, DAY] : [0]) {
      const engine = createWindowEngine(optionsOf("1d", "UTC", { timeModel, allowedLateness }));
      expect(engine.process(batch(event(Number.NaN)), 0).refused).toHaveLength(1);
    }
  });

  test("refuses state of another zone or length", () => {
    const driver = new EngineDriver(optionsOf("1d", "Europe/Berlin"));
    driver.process(batch(event(0)), 0);
    driver.commit();
    for (const other of [optionsOf("1d", "Europe/Paris"), optionsOf("2d", "Europe/Berlin")]) {
      expect(() => {
        createWindowEngine(other).restore(driver.store.load(), 0);
      }).toThrow(WindowStateError);
    }
    // The case of a zone's name makes no difference.
    expect(stateSpecOf(optionsOf("1d", "europe/berlin"))).toBe(stateSpecOf(optionsOf("1d", "Europe/Berlin")));
  });

  test.each([
    ["1d", "Windows of 1 day in Europe/Berlin side by side."],
    ["2w", "Windows of 2 weeks in Europe/Berlin side by side."],
    ["3mo", "Windows of 3 months in Europe/Berlin side by side."],
  ] as const)("explains %s", (length, sentence) => {
    expect(createWindowEngine(optionsOf(length, "Europe/Berlin")).explain()).toContain(sentence);
  });

  test("counts results of smaller windows", () => {
    const clock = windowTime();
    let finalUpTo = Number.NEGATIVE_INFINITY;
    const engine = createWindowEngine({
      windower: tumbling("1d", { timeZone: "Europe/Berlin" }),
      clock,
      fold: count(),
      upstream: { finalUpTo: () => finalUpTo, wakeFor: () => undefined },
    });
    const midnight = Date.parse("2026-10-26T00:00+01:00");
    const hours = Array.from({ length: 26 }, (_, hour) => ({
      window: { close: midnight - (24 - hour) * HOUR },
    }));
    engine.process({ keys: hours.map(() => "key"), values: hours }, midnight);
    finalUpTo = midnight;
    expect(engine.advance(midnight).results).toMatchObject([
      { value: 25, window: { open: midnight - 25 * HOUR, close: midnight } },
    ]);
  });

  test("gives the same rows as the oracle, wherever batches, commits and restarts fall", () => {
    const lateness = fc.constantFrom(0, 6 * HOUR, 30 * HOUR);
    fc.assert(
      fc.property(fc.constantFrom(...CHANGES), lateness, scripts, ([timeZone, change], late, actions) => {
        // A ms of the script is a quarter of an hour, so that it takes days.
        const timeOf = (ms: number): number => Date.parse(change) + (ms - 200) * (HOUR / 4);
        const days = new CalendarOracle(timeZone, "d", 1);
        const oracle = new StreamOracle({
          windower: {
            kind: "custom",
            description: "days",
            assign: (timestamp) => [days.windowAt(timestamp)],
          },
          waitMs: 0,
          idle: "drained",
          allowedLateness: late,
          ordered: false,
          fold: { result: (values) => values.length, overflow: () => 0 },
          isBad: () => false,
        });
        const driver = new EngineDriver(optionsOf("1d", timeZone, { allowedLateness: late }));
        const rowsOf = (rows: ReturnType<typeof driver.finish>): readonly string[] =>
          printed(rows.map(({ window: { id, open, close }, ...row }) => ({ ...row, id, open, close })));
        for (const action of actions) {
          const now = timeOf(action.now);
          if (action.do === "process") {
            const events = action.events.map((each) => ({ ...each, ts: timeOf(each.ts) }));
            const rows = driver.process(batch(...events), now);
            expect(rowsOf(rows)).toEqual(printed(oracle.process(events, now)));
          } else if (action.do === "drained") {
            expect(rowsOf(driver.drained(now))).toEqual(printed(oracle.drained(now)));
          } else if (action.do === "restart") {
            driver.restart(now);
            oracle.restart(now);
          } else if (action.do === "advance") {
            driver.advance(now);
            oracle.advance(now);
          } else driver.commit();
        }
        expect(rowsOf(driver.finish())).toEqual(printed(oracle.finish()));
        expect(driver.late.length).toBe(oracle.late.length);
      }),
      { numRuns: 40 },
    );
  });
});

interface Row {
  readonly key: string;
  readonly id: unknown;
  readonly open: number;
  readonly close: number;
  readonly value: unknown;
  readonly revision: number;
  readonly cause: string;
}

function printed(rows: readonly Row[]): readonly string[] {
  return rows
    .map(({ key, id, open, close, value, revision, cause }) =>
      JSON.stringify([close, id, key, revision, value, cause, open]),
    )
    .sort();
}
