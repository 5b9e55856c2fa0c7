import { describe, expect, it } from "@jest/globals";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { InvalidOptionError, requireLimit } from "../src/errors.ts";
import { exceedsBytes } from "../src/raw-bytes.ts";

describe("exceedsBytes", () => {
  it("measures text in bytes, as if it were encoded", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 60 }), (text, maxBytes) => {
        const bytes = Buffer.from(text);
        expect(exceedsBytes(text, maxBytes)).toBe(bytes.length > maxBytes);
        expect(exceedsBytes(bytes, maxBytes)).toBe(bytes.length > maxBytes);
      }),
    );
  });

  it.each([
    ["ascii", "aaaa", 4],
    ["two bytes each", "éé", 4],
    ["three bytes each", "€€", 6],
    ["a surrogate pair", "🦀", 4],
  ])("allows exactly the bound: %s", (_, text, bytes) => {
    expect(exceedsBytes(text, bytes)).toBe(false);
    expect(exceedsBytes(text, bytes - 1)).toBe(true);
  });
});

describe("requireLimit", () => {
  it.each([1, 65_536, 2 ** 31 - 1])("accepts %p", (value) => {
    expect(() => {
      requireLimit("maxThings", value);
    }).not.toThrow();
  });

  it.each([0, -1, 1.5, NaN, Infinity, 2 ** 31])("refuses %p and names the option", (value) => {
    const refuse = (): void => {
      requireLimit("maxThings", value);
    };
    expect(refuse).toThrow(InvalidOptionError);
    expect(refuse).toThrow("maxThings");
  });
});
