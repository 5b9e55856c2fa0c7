import { describe, expect, it } from "@jest/globals";
import { FrameEncodeError, encodeFrame } from "@millrace/redis-source";

const header = { producer: "p-1", first: 120, publishedAtMs: 1_763_848_800_123 };

describe("encodeFrame", () => {
  it("writes the header, then the lines", () => {
    expect(encodeFrame({ ...header, lines: ['{"a":1}', '{"b":2}'] })).toBe(
      '#millrace/1 p-1 120 2 1763848800123\n{"a":1}\n{"b":2}',
    );
  });

  it("writes a heartbeat as its header alone", () => {
    expect(encodeFrame({ ...header, lines: [] })).toBe("#millrace/1 p-1 120 0 1763848800123");
  });

  it("writes bytes as soon as one line is bytes", () => {
    const frame = encodeFrame({ ...header, lines: ["é", Uint8Array.of(0xff, 0x00), ""] });
    const start = Buffer.from("#millrace/1 p-1 120 3 1763848800123\né\n");
    expect(frame).toEqual(Buffer.concat([start, Buffer.of(0xff, 0x00, 0x0a)]));
  });

  it("writes the same bytes for lines that are bytes as for their text", () => {
    const lines = ["é", "", '{"a":1}', "👍".repeat(9)];
    const text = encodeFrame({ ...header, lines });
    const bytes = encodeFrame({ ...header, lines: lines.map((line) => Buffer.from(line)) });
    expect(bytes).toEqual(Buffer.from(text));
  });

  it.each([
    ["an empty producer", { producer: "" }, "producer"],
    ["a producer with a space", { producer: "a b" }, "producer"],
    ["a producer of 65 characters", { producer: "p".repeat(65) }, "producer"],
    ["a producer with a line feed", { producer: "p\n" }, "producer"],
    ["a negative number", { first: -1 }, "first"],
    ["half a number", { first: 1.5 }, "first"],
    ["no number", { first: NaN }, "first"],
    ["a number past exact counting", { first: Number.MAX_SAFE_INTEGER }, "first + count"],
    ["a negative time", { publishedAtMs: -1 }, "publishedAtMs"],
    ["half a millisecond", { publishedAtMs: 0.5 }, "publishedAtMs"],
    ["a time that no Date can hold", { publishedAtMs: 8.64e15 + 1 }, "publishedAtMs"],
    ["attributes beside lines", { attributes: { end: "1" } }, "without lines"],
    ["a strange key", { lines: [], attributes: { "a b": "1" } }, "key"],
    ["an empty value", { lines: [], attributes: { end: "" } }, "attribute end"],
    ["a value with a line feed", { lines: [], attributes: { end: "1\n" } }, "attribute end"],
    [
      "too many attributes",
      { lines: [], attributes: Object.fromEntries(Array.from("abcdefghi", (key) => [key, "1"])) },
      "8 attributes",
    ],
    ["a line feed in a line", { lines: ["ok", "a\nb"] }, "line 1"],
    ["a line feed in bytes", { lines: [Buffer.from("a\nb")] }, "line 0"],
  ])("refuses %s", (_, spoilt, named) => {
    const encode = (): unknown => encodeFrame({ ...header, lines: ["{}"], ...spoilt });
    expect(encode).toThrow(FrameEncodeError);
    expect(encode).toThrow(named);
  });
});
