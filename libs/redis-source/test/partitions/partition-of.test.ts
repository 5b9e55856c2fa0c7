import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { partitionOf } from "../../src/partitions/partition-of.ts";

describe("partitionOf", () => {
  // The vectors of the README: CRC-32 of the key in UTF-8, modulo the partitions.
  it.each([
    ["", 4, 0],
    ["a", 4, 0xe8b7be43 % 4],
    ["123456789", 4, 0xcbf43926 % 4],
    ["123456789", 1_000, 0xcbf43926 % 1_000],
    ["Europe/Madrid", 4, 0],
    ["Zürich", 7, 5],
  ])("of %j among %i is %i", (key, partitions, partition) => {
    expect(partitionOf(key, partitions)).toBe(partition);
  });

  it("is the CRC-32 that every library computes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 64 }), (key, partitions) => {
        let crc = 0xffffffff;
        for (const byte of Buffer.from(key)) {
          crc ^= byte;
          for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
        }
        expect(partitionOf(key, partitions)).toBe(((crc ^ 0xffffffff) >>> 0) % partitions);
      }),
    );
  });

  it("spreads keys evenly, also those that count up", () => {
    for (const partitions of [2, 3, 8]) {
      const sizes = Array.from({ length: partitions }, () => 0);
      for (let i = 0; i < 8_000; i += 1) {
        const partition = partitionOf(`user-${i}`, partitions);
        sizes[partition] = (sizes[partition] ?? 0) + 1;
      }
      for (const size of sizes) expect(Math.abs(size - 8_000 / partitions)).toBeLessThan(800 / partitions);
    }
  });
});
