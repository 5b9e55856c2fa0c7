import { crc32c as crcOfClient } from "@kafkats/client";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { crc32c } from "../../src/source/crc32c.ts";

test("the check value of CRC-32C", () => {
  expect(crc32c(Buffer.from("123456789"), 0, 9)).toBe(0xe3069283);
});

test("a part of any bytes has the checksum that the client computes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(40), fc.nat(40), (bytes, start, rest) => {
      const from = Math.min(start, bytes.length);
      const to = Math.max(from, bytes.length - rest);
      expect(crc32c(bytes, from, to)).toBe(crcOfClient(Buffer.from(bytes), from, to - from));
    }),
  );
});
