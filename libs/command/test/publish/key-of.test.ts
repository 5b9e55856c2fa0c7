import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { keyOf } from "../../src/publish/key-of.ts";

const zoneOf = keyOf("os_timezone");

describe("keyOf", () => {
  test("returns the field's value in every notation", () => {
    const fields = fc.record(
      { os_timezone: fc.string({ unit: "grapheme" }), other: fc.string(), click_id: fc.string() },
      { requiredKeys: [] },
    );
    const spaces = fc.constantFrom(undefined, 1, "\t");
    fc.assert(
      fc.property(fields, spaces, (event, space) => {
        expect(zoneOf(JSON.stringify(event, undefined, space))).toBe(event.os_timezone ?? "");
      }),
    );
  });

  test.each([
    ['{"x":"os_timezone","os_timezone":"UTC"}', "UTC"],
    ['{"a":{"os_timezone":"Nested/Zone"},"os_timezone":"UTC"}', "UTC"],
    ['{"os_timezone":"First/Zone","os_timezone":"UTC"}', "UTC"],
    ['{"os_timezone":"Europe\\/Madrid"}', "Europe/Madrid"],
    ['{"note":"\\"os_timezone\\":\\"Fake/Zone\\"","os_timezone":"UTC"}', "UTC"],
    ['{"os_timezone":7}', ""],
    ['{"other":"os_timezone"}', ""],
    ["os_timezone", ""],
    ["null", ""],
    ["{", ""],
    ["", ""],
  ])("of %s it is %j", (line, key) => {
    expect(zoneOf(line)).toBe(key);
  });

  test("is undefined for a value that is not a string", () => {
    expect(zoneOf(new Uint8Array([0xff]))).toBe("");
  });
});
