import { expect, test } from "@jest/globals";
import { bar, readable } from "../src/bars.ts";

test.each([
  [0, 10, ""],
  [10, 10, "████"],
  [5, 10, "██"],
  [3, 16, "▊"],
  [1, 1_000, "▏"],
  [0, 0, ""],
])("%d of %d is %j in a width of 4", (value, most, drawn) => {
  expect(bar(value, most, 4)).toBe(drawn);
});

test("numbers have thousands separators", () => {
  expect(readable(12_000)).toBe("12,000");
});
