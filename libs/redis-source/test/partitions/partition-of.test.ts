import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { partitionOf } from "../../src/partitions/partition-layout.ts";

describe("partitionOf", () => {
  it("returns the values of the README's table, which is for other languages", () => {
    const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
    const rows = [...readme.matchAll(/^\| (.+?) +\| `(0x[0-9a-f]{8})` +\| (\d) +\| (\d) +\|$/gm)];
    expect(rows).toHaveLength(5);
    for (const [, cell = "", crc, of4, of7] of rows) {
      const key = cell === "(empty)" ? "" : cell.replaceAll("`", "");
      expect(partitionOf(key, 2 ** 32)).toBe(Number(crc));
      expect([partitionOf(key, 4), partitionOf(key, 7)]).toEqual([Number(of4), Number(of7)]);
    }
  });

  it("has one answer for one partition", () => {
    expect(partitionOf("anything", 1)).toBe(0);
  });

  it("is the CRC-32 that every library computes", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xd7ff)), fc.integer({ min: 1, max: 64 }), (points, partitions) => {
        const key = String.fromCodePoint(...points);
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
