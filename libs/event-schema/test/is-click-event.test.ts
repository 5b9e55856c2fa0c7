import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { clickEventSchema, isClickEvent } from "../src/click-event.ts";
import { anyValue, click } from "./click-samples.ts";

describe("isClickEvent", () => {
  it("agrees with the schema on every value", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(isClickEvent(value)).toBe(clickEventSchema.safeParse(value).success);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(Object.keys(clickEventSchema.shape))("checks %s as the schema does", (field) => {
    for (const wrong of [undefined, null, 1, "", "x", true, false, [], {}]) {
      const value = { ...click, [field]: wrong };
      expect(isClickEvent(value)).toBe(clickEventSchema.safeParse(value).success);
    }
  });
});
