import { describe, expect, it } from "@jest/globals";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { clickCodec, createClickCodec, createClickProjection, type ClickEvent } from "@millrace/event-schema";
import { InvalidOptionError, type DecodeResult, type JsonOptions, type UnknownFields } from "@millrace/json";
import { anyClick, anyValue, click } from "./click-samples.ts";

const line = JSON.stringify(click);

/** Decodes a line as text and as bytes, which must give the same result, and returns it. */
function decodeBothWays(text: string, codec = clickCodec): DecodeResult<ClickEvent> {
  const result = codec.decode(text);
  expect(codec.decode(new TextEncoder().encode(text))).toEqual(result);
  return result;
}

describe("decode", () => {
  it("reads a click", () => {
    expect(decodeBothWays(line)).toEqual({ kind: "event", event: click });
  });

  it.each([
    ["a trailing carriage return", `${line}\r`],
    ["white space around", ` \t${line} \r\n`],
    ["fields in another order", JSON.stringify(Object.fromEntries(Object.entries(click).reverse()))],
    ["escapes", line.replace("Europe/Madrid", "Europe\\/\\u004dadrid")],
    ["a field given twice, the last one good", `{"os":1,${line.slice(1)}`],
  ])("reads a click with %s", (_, text) => {
    expect(decodeBothWays(text)).toEqual({ kind: "event", event: click });
  });

  it("takes the last value of a field given twice, valid or not", () => {
    expect(decodeBothWays(`${line.slice(0, -1)},"os":"other"}`)).toMatchObject({ event: { os: "other" } });
    expect(decodeBothWays(`${line.slice(0, -1)},"os":1}`)).toMatchObject({ reason: { path: "os" } });
  });

  it.each([
    ["nothing", ""],
    ["spaces", "   "],
    ["a carriage return", "\r"],
    ["all of JSON's white space", " \t\r\n"],
  ])("calls a line of %s blank", (_, text) => {
    expect(decodeBothWays(text)).toEqual({ kind: "blank" });
  });

  it.each([
    ["broken JSON", line.slice(0, -1)],
    ["plain text", "hello"],
    ["two objects", line + line],
    ["a comment", "#"],
    ["a NaN", line.replace("true", "NaN")],
    ["a raw control character", line.replace("Android 1.5", "Android\u0000")],
    ["a leading byte order mark", `\uFEFF${line}`],
    ["a lone byte order mark", "\uFEFF"],
    ["a no-break space", "\u00A0"],
  ])("refuses %s as invalid JSON", (_, text) => {
    expect(decodeBothWays(text)).toMatchObject({ kind: "malformed", reason: { code: "invalid-json" } });
  });

  it.each([
    ["number", "42"],
    ["array", "[]"],
    ["array", `[${line}]`],
    ["array", "[".repeat(30_000) + "]".repeat(30_000)],
    ["null", "null"],
    ["boolean", "true"],
    ["string", '"click"'],
  ])("refuses a JSON %s as a whole", (type, text) => {
    expect(decodeBothWays(text)).toEqual({
      kind: "malformed",
      reason: {
        code: "wrong-shape",
        path: "",
        message: `Invalid input: expected object, received ${type}`,
      },
    });
  });

  it.each(Object.keys(click))("names the missing field %s", (field) => {
    const text = JSON.stringify({ ...click, [field]: undefined });
    expect(decodeBothWays(text)).toEqual({
      kind: "malformed",
      reason: { code: "wrong-shape", path: field, message: `field "${field}" is missing` },
    });
  });

  it.each(Object.keys(click))("names the wrong-typed field %s", (field) => {
    const result = decodeBothWays(JSON.stringify({ ...click, [field]: null }));
    expect(result).toMatchObject({ kind: "malformed", reason: { code: "wrong-shape", path: field } });
    expect(result).toMatchObject({ reason: { message: expect.stringContaining("received null") } });
  });

  it("refuses an empty time zone, which is no key", () => {
    expect(decodeBothWays(JSON.stringify({ ...click, os_timezone: "" }))).toEqual({
      kind: "malformed",
      reason: {
        code: "wrong-shape",
        path: "os_timezone",
        message: 'field "os_timezone": must not be empty',
      },
    });
  });

  it("does not take a field from a __proto__ key", () => {
    const { os_timezone, ...rest } = click;
    const text = `{"__proto__":${JSON.stringify({ os_timezone })},${JSON.stringify(rest).slice(1)}`;
    expect(decodeBothWays(text)).toMatchObject({ reason: { code: "wrong-shape", path: "os_timezone" } });
  });

  it.each([
    ["a stray byte", [0xff]],
    ["an overlong form", [0xc0, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a cut-off sequence", [0xe2, 0x82]],
  ])("refuses bytes with %s", (_, bytes) => {
    const [head = "", tail = ""] = line.split("Android 1.5");
    const raw = Buffer.concat([Buffer.from(head), Buffer.from(bytes), Buffer.from(tail)]);
    expect(clickCodec.decode(raw)).toMatchObject({ kind: "malformed", reason: { code: "invalid-utf8" } });
  });

  it("reads bytes that are a view into larger memory", () => {
    const memory = new TextEncoder().encode(`xx${line}yy`);
    const view = new Uint8Array(memory.buffer, 2, line.length);
    expect(clickCodec.decode(view)).toEqual({ kind: "event", event: click });
  });

  it("refuses a line of 10 MB without reading it, blank or not", () => {
    const reason = { code: "too-large", message: "the line has 10000000 bytes; at most 65536 are allowed" };
    expect(decodeBothWays("x".repeat(10_000_000))).toEqual({ kind: "malformed", reason });
    expect(decodeBothWays(" ".repeat(10_000_000))).toEqual({ kind: "malformed", reason });
  });

  it("measures the limit in bytes, not in characters", () => {
    const text = JSON.stringify({ ...click, os: "€".repeat(100) });
    const bytes = Buffer.byteLength(text);
    expect(decodeBothWays(text, createClickCodec({ maxEventBytes: bytes })).kind).toBe("event");
    expect(decodeBothWays(text, createClickCodec({ maxEventBytes: bytes - 1 }))).toMatchObject({
      reason: { code: "too-large" },
    });
  });

  it("never throws, whatever the bytes", () => {
    const spoilt = fc
      .tuple(fc.nat(line.length - 1), fc.uint8Array({ minLength: 1, maxLength: 4 }))
      .map(([at, bytes]) =>
        Buffer.concat([Buffer.from(line.slice(0, at)), bytes, Buffer.from(line.slice(at))]),
      );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), spoilt), (raw) => {
        expect(["event", "blank", "malformed"]).toContain(clickCodec.decode(raw).kind);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("unknownFields", () => {
  const extra = `{"extra":{"deep":[1]},${line.slice(1)}`;
  const poisoned = `{"__proto__":{"polluted":true},${line.slice(1)}`;

  it("strips unknown fields by default", () => {
    expect(decodeBothWays(extra)).toEqual({ kind: "event", event: click });
    expect(decodeBothWays(extra, createClickCodec({ unknownFields: "strip" }))).toEqual(
      decodeBothWays(extra),
    );
  });

  it("keeps unknown fields with keep", () => {
    const result = decodeBothWays(extra, createClickCodec({ unknownFields: "keep" }));
    expect(result).toEqual({ kind: "event", event: { ...click, extra: { deep: [1] } } });
  });

  it("refuses unknown fields with refuse, and names the field", () => {
    const codec = createClickCodec({ unknownFields: "refuse" });
    expect(decodeBothWays(line, codec)).toEqual({ kind: "event", event: click });
    expect(decodeBothWays(extra, codec)).toEqual({
      kind: "malformed",
      reason: { code: "wrong-shape", path: "extra", message: 'field "extra" is unknown' },
    });
    expect(decodeBothWays(poisoned, codec)).toMatchObject({ reason: { path: "__proto__" } });
  });

  it("names a wrong field before an unknown one", () => {
    const codec = createClickCodec({ unknownFields: "refuse" });
    expect(decodeBothWays(extra.replace("true", "1"), codec)).toMatchObject({
      reason: { path: "device_is_mobile" },
    });
  });

  it("shortens a long field name in messages, not in the path", () => {
    const name = "n".repeat(1_000);
    const result = decodeBothWays(
      `{"${name}":1,${line.slice(1)}`,
      createClickCodec({ unknownFields: "refuse" }),
    );
    const message = `field "${"n".repeat(64)}…" is unknown`;
    expect(result).toEqual({ kind: "malformed", reason: { code: "wrong-shape", path: name, message } });
  });

  it.each<UnknownFields>(["strip", "keep"])(
    "hands on no __proto__ with %s, so that copies are safe",
    (policy) => {
      const result = createClickCodec({ unknownFields: policy }).decode(poisoned);
      const copy: object = Object.assign({}, result.kind === "event" ? result.event : undefined);
      expect(copy).toEqual(click);
      expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
      expect("polluted" in copy).toBe(false);
    },
  );

  it.each<UnknownFields>(["strip", "keep", "refuse"])(
    "accepts and refuses with %s as the schema does",
    (policy) => {
      const codec = createClickCodec({ unknownFields: policy });
      fc.assert(
        fc.property(anyValue, (value) => {
          const known = (field: string): boolean => Object.hasOwn(click, field);
          const fields = typeof value === "object" && value !== null ? Object.keys(value) : [];
          const plain = clickCodec.decode(JSON.stringify(value)).kind === "event";
          const expected = plain && (policy !== "refuse" || fields.every(known));
          expect(codec.decode(JSON.stringify(value)).kind === "event").toBe(expected);
        }),
        { numRuns: 500 },
      );
    },
  );
});

describe("encode", () => {
  it("gives one line that decodes to the same click", () => {
    fc.assert(
      fc.property(anyClick, (event) => {
        const text = clickCodec.encode(event);
        expect(text).not.toContain("\n");
        expect(decodeBothWays(text)).toEqual({ kind: "event", event });
      }),
    );
  });
});

describe("createClickCodec", () => {
  it.each([0, -1, NaN, 0.5])("refuses maxEventBytes %p", (maxEventBytes) => {
    expect(() => createClickCodec({ maxEventBytes })).toThrow(InvalidOptionError);
  });

  it("treats an undefined option as not given", () => {
    const options = { maxEventBytes: undefined, unknownFields: undefined } as unknown as JsonOptions;
    expect(() => createClickCodec(options)).not.toThrow();
    expect(() => createClickProjection(["os_timezone"], options)).not.toThrow();
  });

  it.each(["drop", "toString", ""])("refuses unknownFields %p", (policy) => {
    const options = JSON.parse(JSON.stringify({ unknownFields: policy })) as { unknownFields: "strip" };
    expect(() => createClickCodec(options)).toThrow(InvalidOptionError);
  });

  it("makes codecs whose functions need no this", () => {
    const { decode, encode } = createClickCodec();
    expect([encode(click)].map((text) => decode(text))).toEqual([{ kind: "event", event: click }]);
  });

  it("fits the decoder that a dataflow takes", () => {
    type Decoded<T> =
      | { kind: "event"; event: T }
      | { kind: "blank" }
      | { kind: "malformed"; reason: { code: string; message: string; path?: string } };
    const decoder: { decode(raw: string | Uint8Array): Decoded<ClickEvent> } = clickCodec;
    expect(decoder.decode("").kind).toBe("blank");
  });
});
