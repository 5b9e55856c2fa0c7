import { describe, expect, it } from "@jest/globals";
import { murmur2 } from "../../src/sink/murmur2.ts";

describe("murmur2", () => {
  // Those of Kafka's own tests of its hash.
  it.each([
    ["21", -973_932_308],
    ["foobar", -790_332_482],
    ["a-little-bit-long-string", -985_981_536],
    ["a-little-bit-longer-string", -1_486_304_829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971],
    ["abc", 479_470_107],
  ])("of %s is that of Java's client", (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });
});
