import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { RedisOptionsError } from "@millrace/redis-source";
import {
  describeLayout,
  formatLayout,
  isSameLayout,
  layoutOf,
  parseLayout,
} from "../../src/partitions/partition-layout.ts";

describe("a layout", () => {
  it.each([
    [layoutOf(1, undefined), "1", "1 partition"],
    [layoutOf(1, "zone"), "1", "1 partition"],
    [layoutOf(4, "os_timezone"), "4/crc32/os_timezone", '4 partitions by field "os_timezone" (crc32)'],
    [layoutOf(4, undefined), "4/crc32/", "4 partitions by a field that is not named (crc32)"],
    [layoutOf(2, "a/b (é)"), "2/crc32/a%2Fb%20%28%C3%A9%29", '2 partitions by field "a/b (é)" (crc32)'],
  ])("is written as text, and said to people: %j", (layout, text, description) => {
    expect(formatLayout(layout)).toBe(text);
    expect(describeLayout(layout)).toBe(description);
  });

  it("comes back as it was written, whatever the field is called", () => {
    const field = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 16_384 }), field, (count, name) => {
        const text = formatLayout(layoutOf(count, name));
        expect(text).toMatch(/^[A-Za-z0-9._:,;/@%+-]{1,256}$/);
        expect(parseLayout(text)).toEqual(layoutOf(count, name));
      }),
    );
  });

  it.each(["", "0", "one", "4", "4/crc32", "1/crc32/zone", "4/CRC/zone", "4/crc32/a b", "123456/crc32/z"])(
    "is not read from %j",
    (text) => {
      expect(parseLayout(text)).toBeUndefined();
    },
  );

  it.each(["x".repeat(300), "\ud800"])("has no field that cannot be written: %j", (field) => {
    expect(() => layoutOf(2, field)).toThrow(RedisOptionsError);
  });
});

describe("two layouts", () => {
  it.each([
    [layoutOf(4, "zone"), layoutOf(4, "zone"), true],
    [layoutOf(4, "zone"), layoutOf(4, undefined), true],
    [layoutOf(1, "zone"), layoutOf(1, "user"), true],
    [layoutOf(4, "zone"), layoutOf(2, "zone"), false],
    [layoutOf(4, "zone"), layoutOf(4, "user"), false],
    [layoutOf(4, "zone"), { ...layoutOf(4, "zone"), hash: "murmur3" }, false],
    [layoutOf(1, undefined), layoutOf(2, undefined), false],
  ])("are the same if events are in the same places, as far as that is known: %j, %j", (a, b, same) => {
    expect(isSameLayout(a, b)).toBe(same);
    expect(isSameLayout(b, a)).toBe(same);
  });
});
