import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { backOffMs } from "../../src/connection/back-off.ts";

const BACK_OFF = { firstMs: 50, longestMs: 2_000 };

describe("backOffMs", () => {
  it("is at most a limit that doubles up to the longest", () => {
    const bounds = [0, 1, 2, 5, 6, 60, 5_000].map((attempt) => backOffMs(attempt, BACK_OFF, () => 1));
    expect(bounds).toEqual([50, 100, 200, 1_600, 2_000, 2_000, 2_000]);
  });

  it("is between 0 and the limit, by the random number", () => {
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const delay = backOffMs(attempt, BACK_OFF, () => random);
        expect(delay).toBe(Math.round(backOffMs(attempt, BACK_OFF, () => 1) * random));
      }),
    );
  });
});
