import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { compareIds, isEntryId, millisecondsOf } from "../../src/stream/entry-id.ts";

const id = fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));

describe("entry ids", () => {
  it("are ordered by time, then by sequence, in all their 128 bits", () => {
    fc.assert(
      fc.property(id, id, ([aMs, aSequence], [bMs, bSequence]) => {
        const expected = aMs === bMs ? aSequence - bSequence : aMs - bMs;
        const order = Math.sign(compareIds(`${aMs}-${aSequence}`, `${bMs}-${bSequence}`));
        expect(order).toBe(expected > 0n ? 1 : expected < 0n ? -1 : 0);
      }),
    );
    expect(compareIds("5-18446744073709551614", "5-18446744073709551615")).toBeLessThan(0);
    expect(compareIds("5-7", "5-7")).toBe(0);
  });

  it.each([
    ["0-0", true],
    ["1763848800123-12", true],
    ["1763848800123", false],
    ["01-0", false],
    ["-", false],
    ["$", false],
  ])("are distinguished from other text: %s", (text, expected) => {
    expect(isEntryId(text)).toBe(expected);
  });

  it("hold the time when the entry was added", () => {
    expect(millisecondsOf(Buffer.from("1763848800123-12"))).toBe(1_763_848_800_123);
  });
});
