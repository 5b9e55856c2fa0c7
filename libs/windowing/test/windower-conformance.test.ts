import { describe, expect, test } from "@jest/globals";

import { tumbling, type CustomWindow, type CustomWindower } from "../src/index.ts";
import { windowerConformance, type WindowerHarness } from "../src/testing.ts";
import { CalendarDays } from "./examples/calendar-days.ts";
import { BothWindower, PatternWindower } from "./support/custom-windowers.ts";

const HOUR = 3_600_000;

/** Every half hour around an instant. */
function around(instant: string): readonly number[] {
  const middle = Date.parse(instant);
  return Array.from({ length: 200 }, (_, step) => middle + (step - 100) * (HOUR / 2) - 1 + (step % 3));
}

const HARNESSES: readonly WindowerHarness[] = [
  { build: () => new CalendarDays("UTC"), timestamps: around("1970-01-01T00:00Z") },
  // The clocks go forward and back by an hour.
  { build: () => new CalendarDays("Europe/Madrid"), timestamps: around("2026-03-29T01:00Z") },
  { build: () => new CalendarDays("Europe/Madrid"), timestamps: around("2026-10-25T01:00Z") },
  // They go forward at midnight, which is not there, and back to it, so that it is twice.
  { build: () => new CalendarDays("America/Havana"), timestamps: around("2026-03-08T05:00Z") },
  { build: () => new CalendarDays("America/Havana"), timestamps: around("2026-11-01T05:00Z") },
  // By half an hour; and a day that was left out.
  { build: () => new CalendarDays("Australia/Lord_Howe"), timestamps: around("2026-04-04T15:00Z") },
  { build: () => new CalendarDays("Pacific/Apia"), timestamps: around("2011-12-30T10:00Z") },
  { build: () => new PatternWindower([5, 1, 20]), timestamps: [0, 4, 5, 5.5, 6, 25, 26, -1, -30] },
  {
    build: () => new BothWindower(new PatternWindower([5, 1, 20]), new PatternWindower([7])),
    timestamps: [0, 4, 5, 6, 7, 25, 26, -1, -30],
  },
];

describe.each(HARNESSES.map((harness) => [harness.build().description, harness] as const))(
  "a windower of %s",
  (_, harness) => {
    for (const { name, run } of windowerConformance(harness)) test(name, run);
  },
);

describe("days of a time zone", () => {
  const hoursOf = (timeZone: string, instant: string): readonly [id: unknown, hours: number] => {
    const [day] = new CalendarDays(timeZone).assign(Date.parse(instant));
    return [day?.id, ((day?.close ?? 0) - (day?.open ?? 0)) / HOUR];
  };

  test.each([
    ["Europe/Madrid", "2026-03-28T12:00Z", 20260328, 24],
    ["Europe/Madrid", "2026-03-29T12:00Z", 20260329, 23],
    ["Europe/Madrid", "2026-10-25T12:00Z", 20261025, 25],
    ["America/Havana", "2026-03-08T12:00Z", 20260308, 23],
    ["America/Havana", "2026-11-01T12:00Z", 20261101, 25],
    ["Australia/Lord_Howe", "2026-04-04T15:00Z", 20260405, 24.5],
    ["Asia/Kathmandu", "2026-04-04T18:15Z", 20260405, 24],
  ])("%s at %s: %d has %d hours", (timeZone, instant, id, hours) => {
    expect(hoursOf(timeZone, instant)).toEqual([id, hours]);
  });
});

describe("the suite", () => {
  const tumblingWindows = tumbling(10);
  const assign = (timestamp: number): readonly CustomWindow[] => tumblingWindows.windowsAt(timestamp);
  const good = { kind: "custom", description: "tens", assign } as const;

  /** Names of the demands that a windower does not meet. */
  function unmet(build: () => CustomWindower): readonly string[] {
    const demands = windowerConformance({ build, timestamps: [0, 1, 9, 10, 25, 12] });
    return demands.filter(({ run }) => !passes(run)).map(({ name }) => name);
  }

  function passes(run: () => void): boolean {
    try {
      run();
      return true;
    } catch {
      return false;
    }
  }

  test("passes for a correct windower", () => {
    expect(unmet(() => good)).toEqual([]);
    expect(unmet(() => ({ ...good, exclusive: true }))).toEqual([]);
  });

  const wrong: readonly (readonly [string, string, () => CustomWindower])[] = [
    ["no description", "says what its windows", () => ({ ...good, description: " " })],
    [
      "a description of its own each time",
      "says what its windows",
      () => ({ ...good, description: `tens ${String(serial++)}` }),
    ],
    ["no window", "gives each timestamp windows", () => ({ ...good, assign: () => [] })],
    [
      "a close that is inclusive",
      "gives each of a window's timestamps",
      () => ({
        ...good,
        assign: (at) => assign(at).map((window) => ({ ...window, close: window.close + 1 })),
      }),
    ],
    [
      "windows that begin with their first event",
      "gives each of a window's timestamps",
      () => ({ ...good, assign: (at) => [{ id: at, open: at, close: at + 10 }] }),
    ],
    [
      "bounds between whole ms",
      "gives each timestamp windows",
      () => ({
        ...good,
        assign: (at) => assign(at).map((window) => ({ ...window, close: window.close - 0.5 })),
      }),
    ],
    [
      "windows that depend on what came before",
      "gives the same windows",
      () => {
        let calls = 0;
        return { ...good, assign: (at) => assign(at).map((window) => ({ ...window, id: calls++ })) };
      },
    ],
    [
      "one id for all",
      "gives no id to two windows",
      () => ({ ...good, assign: (at) => assign(at).map((window) => ({ ...window, id: 7 })) }),
    ],
    [
      "an id that is not a whole number",
      "gives no id to two windows",
      () => ({ ...good, assign: (at) => assign(at).map((window) => ({ ...window, id: 0.5 })) }),
    ],
    [
      "overlap although declared exclusive",
      "is exclusive",
      () => ({
        ...good,
        exclusive: true,
        assign: (at) => [
          ...assign(at),
          { id: 1_000 + Math.floor(at / 20), open: at - (at % 20), close: at - (at % 20) + 20 },
        ],
      }),
    ],
  ];
  let serial = 0;

  test.each(wrong)("finds %s", (_, demanded, build) => {
    expect(unmet(build)).toContainEqual(expect.stringContaining(demanded));
  });
});
