import { describe, expect, it, jest } from "@jest/globals";
import { Buffer } from "node:buffer";
import { memoryUsage } from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { clickCodec, createClickCodec, createClickProjection, type ClickEvent } from "@millrace/event-schema";
import { InvalidOptionError, type DecodeResult, type JsonOptions } from "@millrace/json";
import { anyCharacter, anyClick, anyValue, click } from "./click-samples.ts";
import { NASTY_LINES } from "./nasty-lines.ts";

const FIELDS = ["os_timezone", "device_is_mobile"] as const;
const ALL = Object.keys(click) as (keyof ClickEvent)[];
const line = JSON.stringify(click);

/** The codec's result for a line, without the fields that were not asked for. */
function slowly(
  text: string,
  fields: readonly (keyof ClickEvent)[],
  options?: JsonOptions,
): DecodeResult<Partial<ClickEvent>> {
  const result = createClickCodec(options).decode(text);
  if (result.kind !== "event") return result;
  const { event } = result;
  return { kind: "event", event: Object.fromEntries(fields.map((field) => [field, event[field]])) };
}

/** JSON of the same value, as another program may write it. */
const anySpelling = fc.record({
  shuffle: fc.integer(),
  colon: fc.constantFrom(":", ": ", " : "),
  comma: fc.constantFrom(",", ", ", ",\t"),
  ends: fc.constantFrom(["", ""], [" ", "\r"], ["", " "]),
});

function spell(
  value: object,
  { shuffle, colon, comma, ends }: typeof anySpelling extends fc.Arbitrary<infer S> ? S : never,
): string {
  const fields = Object.entries(value).map(
    ([name, field]) => JSON.stringify(name) + colon + JSON.stringify(field),
  );
  const at = Math.abs(shuffle) % Math.max(fields.length, 1);
  const turned = [...fields.slice(at), ...fields.slice(0, at)];
  return `${ends[0]}{${turned.join(comma)}}${ends[1]}`;
}

describe("createClickProjection", () => {
  it("gives the fields asked for, and no others", () => {
    const { decode } = createClickProjection(FIELDS);
    for (const text of [line, line, line]) {
      expect(decode(text)).toStrictEqual({
        kind: "event",
        event: { os_timezone: "Europe/Madrid", device_is_mobile: true },
      });
    }
    expect(decode(Buffer.from(line))).toStrictEqual(decode(line));
  });

  it("reads each line by itself", () => {
    const { decode } = createClickProjection(ALL);
    const other = { ...click, click_id: "c-2", os_timezone: "UTC", device_is_mobile: false, os: "" };
    for (const each of [click, other, click, other]) {
      expect(decode(JSON.stringify(each))).toStrictEqual({ kind: "event", event: each });
    }
  });

  it("accepts a field that is named twice, and no fields", () => {
    const { decode } = createClickProjection(["os", "os"]);
    const none = createClickProjection([]);
    for (const text of [line, line]) {
      expect(decode(text)).toStrictEqual({ kind: "event", event: { os: "Android 1.5" } });
      expect(none.decode(text)).toStrictEqual({ kind: "event", event: {} });
    }
  });

  describe.each([
    ["some fields", FIELDS],
    ["all fields", ALL],
  ])("with %s", (_, fields) => {
    it.each(Object.entries(NASTY_LINES))("reads a line with %s as the codec does", (_name, nasty) => {
      const { decode } = createClickProjection(fields);
      // Before the layout is known, with it, and after lines that may have brought another one.
      for (const text of [
        nasty,
        line,
        nasty,
        line,
        ...Array.from({ length: 40 }, () => nasty),
        line,
        nasty,
      ]) {
        expect(decode(text)).toStrictEqual(slowly(text, fields));
      }
    });
  });

  it.each(Object.entries(NASTY_LINES))("reads lines like one with %s as the codec does", (_, nasty) => {
    const { decode } = createClickProjection(FIELDS);
    for (let i = 0; i < 3; i++) decode(nasty);
    for (const other of Object.values(NASTY_LINES))
      expect(decode(other)).toStrictEqual(slowly(other, FIELDS));
  });

  it("reads any lines in a known spelling as the codec does", () => {
    const anyField = fc.record({ name: fc.constantFrom(...ALL, "extra"), value: anyValue });
    let matched = 0;
    fc.assert(
      fc.property(anySpelling, fc.array(anyClick), fc.array(anyField), (spelling, clicks, odd) => {
        const { decode } = createClickProjection(FIELDS);
        decode(spell(click, spelling));
        const others = odd.map(({ name, value }) => ({ ...click, [name]: value }));
        for (const value of [...clicks, ...others]) {
          const text = spell(value, spelling);
          const expected = slowly(text, FIELDS);
          const parse = jest.spyOn(JSON, "parse");
          const result = decode(text);
          if (parse.mock.calls.length === 0) matched += 1;
          parse.mockRestore();
          expect(result).toStrictEqual(expected);
        }
      }),
      { numRuns: 100 },
    );
    // Otherwise the codec would be compared with itself.
    expect(matched).toBeGreaterThan(100);
  });

  it("reads any value in any spelling as the codec does", () => {
    const { decode } = createClickProjection(FIELDS);
    fc.assert(
      fc.property(anyValue, anySpelling, (value, spelling) => {
        const text =
          typeof value === "object" && value !== null ? spell(value, spelling) : JSON.stringify(value);
        expect(decode(text)).toStrictEqual(slowly(text, FIELDS));
      }),
      { numRuns: 1_000 },
    );
  });

  it("reads a line with any part replaced as the codec does", () => {
    const { decode } = createClickProjection(ALL);
    const pieces = fc.oneof(
      fc.constantFrom(
        '"',
        "\\",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\n",
        "\u0000",
        "\\u0041",
        '":"',
        '","',
        "true",
        "1",
      ),
      fc.string({ unit: anyCharacter, maxLength: 3 }),
    );
    const length = line.length;
    fc.assert(
      fc.property(fc.nat(length), fc.nat(12), pieces, (at, cut, piece) => {
        const text = line.slice(0, at) + piece + line.slice(at + cut);
        decode(line);
        expect(decode(text)).toStrictEqual(slowly(text, ALL));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each<JsonOptions>([
    { unknownFields: "refuse" },
    { unknownFields: "keep" },
    { maxEventBytes: line.length },
    { maxEventBytes: line.length - 1 },
  ])("keeps to the options %p", (options) => {
    const { decode } = createClickProjection(FIELDS, options);
    for (const text of [line, ...Object.values(NASTY_LINES), line]) {
      expect(decode(text)).toStrictEqual(slowly(text, FIELDS, options));
    }
  });

  it("keeps the layouts in use when there are more than fit", () => {
    const { decode } = createClickProjection(FIELDS);
    const turned = (by: number): string =>
      spell(click, { shuffle: by, colon: ":", comma: ",", ends: ["", ""] });
    for (let by = 0; by < 4; by++) for (let i = 0; i < 100; i++) decode(turned(by));
    for (let i = 0; i < 100; i++) for (const by of [0, 1, 2]) decode(turned(by));
    // One more, until it has been learned; then again those three.
    for (let i = 0; i < 2_000; i++) decode(turned(5));
    const parse = jest.spyOn(JSON, "parse");
    for (const by of [0, 1, 2, 5]) decode(turned(by));
    const parsed = parse.mock.calls.length;
    parse.mockRestore();
    expect(parsed).toBe(0);
  });

  it("refuses a field that a click does not have, and invalid options", () => {
    const strange = JSON.parse('["os", "toString"]') as "os"[];
    expect(() => createClickProjection(strange)).toThrow(InvalidOptionError);
    expect(() => createClickProjection(FIELDS, { maxEventBytes: 0 })).toThrow(InvalidOptionError);
  });

  it("parses only the first line of a layout, and soon no lines of a second layout", () => {
    const { decode } = createClickProjection(FIELDS);
    const parse = jest.spyOn(JSON, "parse");
    try {
      for (let i = 0; i < 1_000; i++) decode(line.replace("c-1", `c-${i}`));
      expect(parse).toHaveBeenCalledTimes(1);
      const spaced = NASTY_LINES["spaces after colons and commas"] ?? "";
      for (let i = 0; i < 1_000; i++) decode(i % 2 === 0 ? line : spaced);
      expect(parse.mock.calls.length).toBeLessThan(30);
    } finally {
      parse.mockRestore();
    }
  });

  it("does not keep a message in memory for a value cut out of it", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const { decode } = createClickProjection(["user_custom_id"]);
    const rest = "x".repeat(100_000);
    const kept: string[] = [];
    collect();
    const before = memoryUsage().heapUsed;
    for (let i = 0; i < 500; i++) {
      const user = `someone.with.a.long.name.${i}@example.org`;
      const [cut = ""] = Buffer.from(`${JSON.stringify({ ...click, user_custom_id: user })}\n${rest}`)
        .toString()
        .split("\n");
      const result = decode(cut);
      if (result.kind === "event") kept.push(result.event.user_custom_id);
    }
    collect();
    expect(kept).toHaveLength(500);
    // With the messages it would be 50 MB.
    expect(memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
  });

  it("does not cache long values", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const { decode } = createClickProjection(["device_type"]);
    const lineOf = (i: number): string =>
      JSON.stringify({ ...click, device_type: String(i).padEnd(60_000, "x") });
    decode(line);
    collect();
    const before = memoryUsage().heapUsed;
    for (let i = 0; i < 1_000; i++) decode(lineOf(i));
    collect();
    // Kept, they would be up to 60 MB.
    expect(memoryUsage().heapUsed - before).toBeLessThan(2_000_000);
  });

  it("agrees with the codec of all fields on whole clicks", () => {
    const { decode } = createClickProjection(ALL);
    fc.assert(
      fc.property(anyClick, (event) => {
        const text = clickCodec.encode(event);
        expect(decode(text)).toStrictEqual({ kind: "event", event });
      }),
    );
  });
});
