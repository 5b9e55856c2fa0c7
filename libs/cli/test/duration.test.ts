import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseDuration } from "@millrace/cli";

describe("parseDuration", () => {
  test.each([
    ["1ms", 1],
    ["500ms", 500],
    ["5s", 5_000],
    ["1.5s", 1_500],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["365d", 31_536_000_000],
  ])("reads %s as %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(["", "5", "s", "5 s", "-5s", "0s", "0.1ms", "5S", "5sec", "1e3s", "1h30m", "99999999999999999d"])(
    "refuses %j and says what is wanted",
    (text) => {
      expect(() => parseDuration(text)).toThrow(/is not a duration: give a number with one of the units/);
    },
  );

  test("takes 0 where that will do", () => {
    expect(parseDuration("0s", 0)).toBe(0);
  });

  test("any whole number of milliseconds reads as itself", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (ms) => {
        expect(parseDuration(`${ms}ms`)).toBe(ms);
      }),
    );
  });
});
