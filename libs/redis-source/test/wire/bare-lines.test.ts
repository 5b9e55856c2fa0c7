import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { RawLine } from "@millrace/dataflow";
import { decodeFrame } from "@millrace/redis-source";

function split(message: string | Uint8Array): readonly RawLine[] {
  const decoded = decodeFrame(Buffer.from(message));
  return decoded.kind === "bare" ? decoded.lines : [];
}

describe("a bare message", () => {
  it.each([
    ["a bare line", '{"a":1}', ['{"a":1}']],
    ["an empty message, as an empty line", "", [""]],
    ["several lines", "a\nb\nc", ["a", "b", "c"]],
    ["a closing line feed", "a\nb\n", ["a", "b"]],
    ["empty lines between", "a\n\nb", ["a", "", "b"]],
    ["a carriage return, which stays", "a\r\nb\r", ["a\r", "b\r"]],
    ["a replacement character that was sent as such", "a\uFFFDb", ["a\uFFFDb"]],
    ["text outside ASCII", "Zürich\n東京 🏙️", ["Zürich", "東京 🏙️"]],
  ])("splits %s", (_, message, lines) => {
    expect(split(message)).toEqual(lines);
  });

  it("gives a line that is not UTF-8 as bytes of its own, and its neighbours as text", () => {
    const message = Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a, 0x62, 0x0a]);
    const decoded = decodeFrame(message);
    const lines = decoded.kind === "bare" ? decoded.lines : [];
    expect(lines).toEqual(["a", new Uint8Array([0xff, 0xfe]), "b"]);
    message.fill(0);
    expect(lines[1]).toEqual(new Uint8Array([0xff, 0xfe]));
  });

  it("returns every line of any message, byte for byte", () => {
    const line = fc
      .oneof(
        fc.uint8Array({ maxLength: 12 }),
        fc.string({ unit: "grapheme" }).map((text) => Buffer.from(text)),
      )
      .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a)));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => {
        const message = Buffer.concat(lines.flatMap((bytes) => [bytes, Buffer.from("\n")]));
        expect(split(message).map((part) => Buffer.from(part).toString("hex"))).toEqual(
          lines.map((bytes) => bytes.toString("hex")),
        );
      }),
    );
  });
});
