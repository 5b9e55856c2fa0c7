import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { DurationError, formatDuration, parseDuration } from "../src/index.ts";

describe("parseDuration", () => {
  test.each([
    ["1ms", 1],
    ["500ms", 500],
    ["5s", 5_000],
    ["1.5s", 1_500],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["365d", 31_536_000_000],
    ["2.01s", 2_010],
    ["1.1h", 3_960_000],
    ["0.7d", 60_480_000],
    [".5s", 500],
    ["4.35s", 4_350],
    ["1.0005s", 1_001],
    ["1.00049s", 1_000],
    ["0.5ms", 1],
  ])("reads %s as %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    "",
    "0",
    "5",
    "s",
    ".s",
    "5.s",
    "5 s",
    "-5s",
    "0s",
    "0.1ms",
    "5S",
    "5sec",
    "1e3s",
    "1h30m",
    "99999999999999999d",
  ])("refuses %j and shows what to write", (text) => {
    expect(() => parseDuration(text)).toThrow(DurationError);
    expect(() => parseDuration(text)).toThrow(
      /is not a duration above 0: give a number with one of the units/,
    );
  });

  test("refuses a number without a unit, and shows what to write", () => {
    expect(() => parseDuration("2.5")).toThrow(/so write 2.5s for seconds or 2.5ms for milliseconds/);
  });

  test("accepts 0 if the minimum is 0", () => {
    expect(["0", "0s"].map((text) => parseDuration(text, 0))).toEqual([0, 0]);
  });

  test("parses any whole number of milliseconds exactly", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (ms) => {
        expect(parseDuration(`${ms}ms`)).toBe(ms);
      }),
    );
  });

  test("parses any decimal as the nearest millisecond", () => {
    const units = fc.constantFrom(["s", 1_000], ["m", 60_000], ["h", 3_600_000], ["d", 86_400_000]);
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 5, max: 9_999 }), units, (whole, parts, [unit, ms]) => {
        const text = `${whole}.${String(parts).padStart(4, "0")}${unit}`;
        // In units of a tenth of a microsecond all of it is whole.
        const tenths = (whole * 10_000 + parts) * ms;
        expect(parseDuration(text)).toBe(Math.floor((tenths + 5_000) / 10_000));
      }),
    );
  });
});

describe("formatDuration", () => {
  test.each([
    [0, "0ms"],
    [1, "1ms"],
    [1_500, "1500ms"],
    [5_000, "5s"],
    [90_000, "90s"],
    [5_400_000, "90m"],
    [14_400_000, "4h"],
    [86_400_000, "1d"],
    [36 * 3_600_000, "36h"],
  ])("writes %i ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test("writes what parseDuration reads", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});
