import { describe, expect, test } from "@jest/globals";
import { parseSeconds } from "@millrace/cli";

describe("parseSeconds", () => {
  test.each([
    ["2.01", 2_010],
    ["5", 5_000],
    ["0.001", 1],
    ["5s", 5_000],
    ["500ms", 500],
    ["1.5m", 90_000],
  ])("reads %s as %d ms", (text, ms) => {
    expect(parseSeconds(text)).toBe(ms);
  });

  test.each(["0", "0s", "-1", "5sec", "", "1e3", "0.0001"])("refuses %j", (text) => {
    expect(() => parseSeconds(text)).toThrow(/is not a duration above 0: give a number of seconds, or/);
  });

  test("takes 0 where that will do", () => {
    expect(["0", "0s"].map((text) => parseSeconds(text, 0))).toEqual([0, 0]);
  });
});
