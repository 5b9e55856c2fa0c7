import { describe, expect, test } from "@jest/globals";
import { median, pairedRatio, quantile, rounded } from "../src/statistics.ts";

describe("statistics", () => {
  test("the median of an even number of figures lies between the two in the middle", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([1, 9, 5, 7])).toBe(6);
    expect(median([])).toBeNaN();
  });

  test("a quantile lies between neighbours in proportion", () => {
    const figures = [30, 10, 20, 40, 50];
    expect(quantile(figures, 0)).toBe(10);
    expect(quantile(figures, 0.25)).toBe(20);
    expect(quantile(figures, 0.99)).toBeCloseTo(49.6);
    expect(quantile(figures, 1)).toBe(50);
  });

  test("a paired ratio knows nothing of rounds that were slow for both", () => {
    expect(pairedRatio([2, 20, 2], [4, 40, 4])).toBe(0.5);
    // Medians of each by themselves would say 1.
    expect(pairedRatio([1, 1, 10], [2, 1, 20])).toBe(0.5);
  });

  test("figures are whole numbers, or have three digits", () => {
    expect([1234.5, 0.0123456, 1].map(rounded)).toEqual([1235, 0.0123, 1]);
  });
});
