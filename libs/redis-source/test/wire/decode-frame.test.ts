import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { RawLine } from "@millrace/dataflow";
import { FRAME_MARKER, decodeFrame, encodeFrame } from "@millrace/redis-source";
import type { Frame, FrameToEncode } from "@millrace/redis-source";

const start = "#millrace/1 p-1 120";
const bytesOf = (line: RawLine): Buffer => Buffer.from(line);

function decode(message: RawLine): Frame {
  return decodeFrame(bytesOf(message));
}

function codeOf(frame: Frame): string {
  return frame.kind === "malformed" ? frame.reason.code : frame.kind;
}

const textLine = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", " "));
const byteLine = fc.uint8Array().map((bytes) => bytes.map((byte) => (byte === 0x0a ? 0x20 : byte)));

function anyFrame<Line extends RawLine>(
  line: fc.Arbitrary<Line>,
): fc.Arbitrary<FrameToEncode & { readonly lines: readonly Line[] }> {
  return fc.record({
    producer: fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/),
    first: fc.nat({ max: Number.MAX_SAFE_INTEGER - 100 }),
    publishedAtMs: fc.nat({ max: 8.64e15 }),
    lines: fc.array(line, { maxLength: 20 }),
  });
}

describe("a frame", () => {
  it("comes back as it was written, text", () => {
    fc.assert(
      fc.property(anyFrame(textLine), (frame) => {
        expect(decode(encodeFrame(frame))).toEqual({
          kind: "frame",
          count: frame.lines.length,
          ...frame,
        });
      }),
    );
  });

  it("comes back as it was written, bytes", () => {
    fc.assert(
      fc.property(anyFrame(fc.oneof(textLine, byteLine)), (frame) => {
        const decoded = decodeFrame(bytesOf(encodeFrame(frame)));
        const lines = frame.lines.map(bytesOf);
        expect(decoded.kind === "frame" && { ...decoded, lines: decoded.lines.map(bytesOf) }).toEqual({
          kind: "frame",
          count: lines.length,
          ...frame,
          lines,
        });
      }),
    );
  });

  it("returns each line as text or bytes if one is not UTF-8, without memory of the message", () => {
    const bad = Uint8Array.of(0xff);
    const message = bytesOf(
      encodeFrame({ producer: "p", first: 0, publishedAtMs: 0, lines: ["é", bad, ""] }),
    );
    const frame = decodeFrame(message);
    message.fill(0);
    expect(frame).toMatchObject({ kind: "frame", lines: ["é", bad, ""] });
  });

  it("may be empty, and then has the next number", () => {
    expect(decode(`${start} 0 5`)).toEqual({
      kind: "frame",
      producer: "p-1",
      first: 120,
      count: 0,
      publishedAtMs: 5,
      lines: [],
    });
  });

  it("may hold blank lines, lines with carriage returns and lines like headers", () => {
    expect(decode(`${start} 4 5\n\n{}\r\n${FRAME_MARKER}1\n`)).toMatchObject({
      lines: ["", "{}\r", `${FRAME_MARKER}1`, ""],
    });
  });

  it.each([
    ["none of one", `${start} 1 5`],
    ["one of two", `${start} 2 5\n{}`],
    ["two of one", `${start} 1 5\n{}\n{}`],
    ["one of none", `${start} 0 5\n`],
    ["a line feed after the last", `${start} 1 5\n{}\n`],
  ])("is refused with %s lines", (_, text) => {
    expect(codeOf(decode(text))).toBe("count-mismatch");
  });

  it.each([
    ["a newer version", "#millrace/2 p-1 120 0 5", "unknown-version"],
    ["a newer version of another form", "#millrace/3\n{}", "unknown-version"],
    ["the marker alone", "#millrace/", "bad-header"],
    ["the version alone", "#millrace/1", "bad-header"],
    ["no number as version", "#millrace/one p-1 120 0 5", "bad-header"],
    ["a field too few", "#millrace/1 p-1 120 0", "bad-header"],
    ["a field too many", "#millrace/1 p-1 120 0 5 6", "bad-header"],
    ["attributes before lines", "#millrace/1 p-1 120 1 5 end=1\n{}", "bad-header"],
    ["an attribute twice", "#millrace/1 p-1 120 0 5 end=1 end=1", "bad-header"],
    ["unsorted attributes", "#millrace/1 p-1 120 0 5 b=1 a=1", "bad-header"],
    ["nine attributes", "#millrace/1 p-1 120 0 5 a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1", "bad-header"],
    ["an attribute without a value", "#millrace/1 p-1 120 0 5 end=", "bad-header"],
    ["an attribute with two values", "#millrace/1 p-1 120 0 5 end=1=2", "bad-header"],
    ["an attribute with a strange key", "#millrace/1 p-1 120 0 5 __proto__=1", "bad-header"],
    ["an attribute with a strange value", "#millrace/1 p-1 120 0 5 end=\u0001", "bad-header"],
    ["a long key", `#millrace/1 p-1 120 0 5 ${"k".repeat(33)}=1`, "bad-header"],
    ["a long value", `#millrace/1 p-1 120 0 5 end=${"1".repeat(257)}`, "bad-header"],
    ["two spaces before an attribute", "#millrace/1 p-1 120 0 5  end=1", "bad-header"],
    ["a space at its end", "#millrace/1 p-1 120 0 5 end=1 ", "bad-header"],
    ["two spaces", "#millrace/1 p-1  120 0 5", "bad-header"],
    ["a carriage return", "#millrace/1 p-1 120 0 5\r\n", "bad-header"],
    ["an empty producer", "#millrace/1  120 0 5", "bad-header"],
    ["a long producer", `#millrace/1 ${"p".repeat(65)} 120 0 5`, "bad-header"],
    ["a strange producer", "#millrace/1 pé 120 0 5", "bad-header"],
    ["a leading zero", "#millrace/1 p-1 0120 0 5", "bad-header"],
    ["a sign", "#millrace/1 p-1 +120 0 5", "bad-header"],
    ["a fraction", "#millrace/1 p-1 1.5 0 5", "bad-header"],
    ["digits of another script", "#millrace/1 p-1 ١ 0 5", "bad-header"],
    ["a number past exact counting", "#millrace/1 p-1 9007199254740991 1 5\n{}", "bad-header"],
    ["a time that no Date can hold", "#millrace/1 p-1 120 0 8640000000000001", "bad-header"],
  ])("is refused with %s in its header", (_, text, code) => {
    expect(codeOf(decode(text))).toBe(code);
  });

  it("has one spelling: what is accepted is what would have been written", () => {
    const spoilt = fc
      .tuple(anyFrame(byteLine), fc.nat(120), fc.uint8Array({ maxLength: 3 }), fc.nat(3))
      .map(([frame, at, inserted, cut]) => {
        const message = bytesOf(encodeFrame(frame));
        return Buffer.concat([message.subarray(0, at), inserted, message.subarray(at + cut)]);
      });
    fc.assert(
      fc.property(spoilt, (message) => {
        const frame = decodeFrame(message);
        fc.pre(frame.kind === "frame");
        expect(bytesOf(encodeFrame(frame)).equals(message)).toBe(true);
      }),
    );
  });
});

describe("a heartbeat's attributes", () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/);
  const value = fc.stringMatching(/^[A-Za-z0-9._:,;/@%+-]{1,256}$/);

  it("come back as they were written", () => {
    fc.assert(
      fc.property(
        anyFrame(textLine),
        fc.dictionary(key, value, { minKeys: 1, maxKeys: 8 }),
        (frame, attributes) => {
          const heartbeat = { ...frame, lines: [], attributes };
          const decoded = decode(encodeFrame(heartbeat));
          expect(decoded).toMatchObject({ ...heartbeat, kind: "frame", count: 0, attributes });
          expect(encodeFrame({ ...heartbeat, ...(decoded.kind === "frame" && decoded) })).toBe(
            encodeFrame(heartbeat),
          );
        },
      ),
    );
  });

  it("are a record that inherits nothing", () => {
    const frame = decode(`${start} 0 5 end=1 layout=4:zone`);
    expect(frame.kind === "frame" && frame.attributes?.["constructor"]).toBeUndefined();
    expect(frame).toMatchObject({ attributes: { end: "1", layout: "4:zone" } });
  });

  it("are absent if there are none", () => {
    expect(decode(`${start} 0 5`)).not.toHaveProperty("attributes");
    expect(encodeFrame({ producer: "p-1", first: 1, publishedAtMs: 5, lines: [], attributes: {} })).toBe(
      "#millrace/1 p-1 1 0 5",
    );
  });
});

describe("a bare message", () => {
  it.each([
    ["one line", "{}", ["{}"]],
    ["several lines", "{}\n[]\n1", ["{}", "[]", "1"]],
    ["a line with its line feed", "{}\n", ["{}"]],
    ["lines of Windows", "{}\r\n{}\r\n", ["{}\r", "{}\r"]],
    ["blank lines", "\n{}\n\n", ["", "{}", ""]],
    ["nothing", "", [""]],
    ["a line feed", "\n", [""]],
    ["another marker", "#comment", ["#comment"]],
    ["the marker in its second line", "{}\n#millrace/1", ["{}", "#millrace/1"]],
  ])("may be %s", (_, text, lines) => {
    expect(decode(text)).toEqual({ kind: "bare", lines });
  });

  it("is what any JSON text or blank line is", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ \t\r]{0,3}$/), fc.json(), (space, json) => {
        expect(decode(space + json)).toEqual({ kind: "bare", lines: [space + json] });
        expect(decode(space)).toEqual({ kind: "bare", lines: [space] });
      }),
    );
  });
});

describe("limits", () => {
  it("are 1 MiB of bytes, exactly at the limit", () => {
    expect(codeOf(decode("x".repeat(1_048_576)))).toBe("bare");
    expect(codeOf(decode("x".repeat(1_048_577)))).toBe("too-large");
    expect(codeOf(decode("€".repeat(349_526)))).toBe("too-large");
    expect(codeOf(decode(`${start} 1 5\n${"x".repeat(1_048_576)}`))).toBe("too-large");
  });

  it("are 10,000 lines, framed or bare, text or bytes", () => {
    const lines = "\n".repeat(10_000);
    expect(codeOf(decode(lines))).toBe("bare");
    expect(codeOf(decode(`${lines}x`))).toBe("too-many-events");
    expect(codeOf(decode(`${lines}\n`))).toBe("too-many-events");
    expect(codeOf(decode(`${lines}\nx`))).toBe("too-many-events");
    expect(codeOf(decode(Buffer.concat([Buffer.of(0xff), bytesOf(lines)])))).toBe("bare");
    expect(codeOf(decode(Buffer.concat([Buffer.of(0xff), bytesOf(`${lines}\n`)])))).toBe("too-many-events");
    expect(codeOf(decode(`${start} 10000 5${lines}`))).toBe("frame");
    expect(codeOf(decode(`${start} 10001 5${lines}\n`))).toBe("too-many-events");
  });
});

describe("decodeFrame", () => {
  it("never throws, whatever the bytes", () => {
    const marked = fc.uint8Array().map((bytes) => Buffer.concat([Buffer.from(FRAME_MARKER), bytes]));
    const headed = fc.uint8Array().map((bytes) => Buffer.concat([Buffer.from("#millrace/1 p "), bytes]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), marked, headed), (message) => {
        const frame = decodeFrame(message);
        expect(["bare", "frame", "malformed"]).toContain(frame.kind);
      }),
      { numRuns: 1_000 },
    );
  });
});
