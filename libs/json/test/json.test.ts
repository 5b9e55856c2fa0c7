import { describe, expect, it } from "@jest/globals";
import { type } from "arktype";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import * as v from "valibot";
import { z } from "zod";
import {
  AsyncSchemaError,
  InvalidOptionError,
  json,
  type DecodeResult,
  type JsonOptions,
  type LineDecoder,
  type StandardSchemaV1,
} from "@millrace/json";

interface Order {
  id: string;
  total: number;
  customer: { name: string };
}

const order: Order = { id: "o-1", total: 9.5, customer: { name: "Ann" } };
const line = JSON.stringify(order);

/** One schema in three libraries. */
const SCHEMAS: readonly (readonly [string, StandardSchemaV1<unknown, Order>])[] = [
  ["zod", z.object({ id: z.string().min(1), total: z.number(), customer: z.object({ name: z.string() }) })],
  [
    "valibot",
    v.object({
      id: v.pipe(v.string(), v.nonEmpty()),
      total: v.number(),
      customer: v.object({ name: v.string() }),
    }),
  ],
  ["arktype", type({ id: "string > 0", total: "number", customer: { name: "string" }, "+": "delete" })],
];

/** A line as text and as bytes must read the same; returns that reading. */
function both<T>(decoder: LineDecoder<T>, text: string): DecodeResult<T> {
  const result = decoder.decode(text);
  expect(decoder.decode(Buffer.from(text))).toStrictEqual(result);
  return result;
}

/** Its fields are all there is to it, so that most lines need no verdict of the schema. */
const FLAT: readonly (readonly [string, StandardSchemaV1])[] = [
  ["zod", z.object({ a: z.string().min(1), b: z.number().optional(), c: z.enum(["x", "y"]).nullable() })],
  [
    "valibot",
    v.object({
      a: v.pipe(v.string(), v.nonEmpty()),
      b: v.optional(v.number()),
      c: v.nullable(v.picklist(["x", "y"])),
    }),
  ],
  ["arktype", type({ a: "string > 0", "b?": "number", c: "'x' | 'y' | null" })],
  ["arktype, that deletes others", type({ a: "string", c: "string", "b?": "number", "+": "delete" })],
  ["zod, loose", z.looseObject({ a: z.string(), b: z.number().optional(), c: z.string() })],
  ["zod, strict", z.strictObject({ a: z.string(), b: z.boolean().optional(), c: z.string().optional() })],
  ["zod, of names that lists have, too", z.object({ 0: z.string(), 1: z.string().optional() })],
];

describe.each(FLAT)("json of a flat schema of %s", (_, schema) => {
  it.each([
    '{"a":"t","b":1,"c":"x"}',
    '{"a":"t","c":null}',
    '{"a":"t","b":true}',
    '{"a":"t"}',
    '{"a":"","b":1,"c":"x"}',
    '{"a":"t","b":1e999,"c":"x"}',
    '{"a":"t","b":null,"c":"x"}',
    '{"a":"t","b":1,"c":"z"}',
    '{"c":"x","b":1,"a":"t"}',
    '{"a":"t","more":1,"c":"x"}',
    '{"a":"t","more":1,"b":1,"c":"x"}',
    '{"a":"t","b":1,"c":"x","more":1}',
    '{"c":"x","a":"t","more":1}',
    '{"b":1,"a":"t","more":1}',
    '{"0":"t","1":"u"}',
    '["t"]',
    "{}",
    "null",
  ])("reads %s as the schema does, fields in its order", (text) => {
    const verdict = schema["~standard"].validate(JSON.parse(text)) as StandardSchemaV1.Result<unknown>;
    const result = json(schema).decode(text);
    expect(result.kind).toBe(verdict.issues === undefined ? "event" : "malformed");
    if (result.kind !== "event" || verdict.issues !== undefined) return;
    expect(JSON.stringify(result.event)).toBe(JSON.stringify(verdict.value));
  });
});

describe.each(SCHEMAS)("json of a schema of %s", (_, schema) => {
  const codec = json(schema);

  it.each([
    ["as it is", line],
    ["with a carriage return", `${line}\r`],
    ["with white space", ` { "id" : "o-1", "total":9.50,\t"customer": {"name":"Ann"} } `],
    ["with escapes", line.replace("Ann", String.raw`\u0041nn`)],
    ["with a name twice", `{"id":1,${line.slice(1)}`],
    ["with unknown fields", `{"extra":{"deep":[1]},"__proto__":{"x":1},${line.slice(1)}`],
  ])("reads an event %s", (_name, text) => {
    expect(both(codec, text)).toStrictEqual({ kind: "event", event: order });
  });

  it.each(["", " ", "\r", " \t\r\n"])("calls %p blank", (text) => {
    expect(both(codec, text)).toStrictEqual({ kind: "blank" });
  });

  it.each([
    ["a cut line", line.slice(0, -1)],
    ["two objects", line + line],
    ["a byte order mark", `\uFEFF${line}`],
    ["a no-break space", "\u00A0"],
  ])("refuses %s as invalid JSON", (_name, text) => {
    expect(both(codec, text)).toMatchObject({ kind: "malformed", reason: { code: "invalid-json" } });
  });

  it.each([
    ["a missing field", '{"total":1,"customer":{"name":"x"}}', "id", 'field "id" is missing'],
    ["a wrong type", line.replace("9.5", '"9.5"'), "total", /^field "total": ./],
    ["an empty text", line.replace("o-1", ""), "id", /^field "id": ./],
    [
      "a nested field missing",
      line.replace('"name"', '"nick"'),
      "customer.name",
      'field "customer.name" is missing',
    ],
    ["a nested type", line.replace('"Ann"', "1"), "customer.name", /^field "customer.name": ./],
    ["null", "null", "", /./],
    ["a number", "42", "", /./],
    ["a text", '"x"', "", /./],
    ["a list", "[]", expect.any(String), /./],
    ["deep nesting", "[".repeat(30_000) + "]".repeat(30_000), expect.any(String), /./],
  ])("refuses %s, with its path", (_name, text, path, message) => {
    expect(both(codec, text)).toStrictEqual({
      kind: "malformed",
      reason: {
        code: "wrong-shape",
        path,
        message: typeof message === "string" ? message : expect.stringMatching(message),
      },
    });
  });

  it("refuses bytes that are not UTF-8", () => {
    const bytes = Buffer.concat([
      Buffer.from(line.slice(0, 8)),
      Buffer.from([0xff]),
      Buffer.from(line.slice(8)),
    ]);
    expect(codec.decode(bytes)).toMatchObject({ reason: { code: "invalid-utf8" } });
  });

  it("measures a line in bytes of UTF-8, before anything else", () => {
    const text = line.replace("Ann", "€€€");
    const bytes = Buffer.byteLength(text);
    expect(both(json(schema, { maxEventBytes: bytes }), text).kind).toBe("event");
    expect(both(json(schema, { maxEventBytes: bytes - 1 }), text)).toStrictEqual({
      kind: "malformed",
      reason: { code: "too-large", message: `the line has ${bytes} bytes; at most ${bytes - 1} are allowed` },
    });
    expect(both(codec, " ".repeat(65_537))).toMatchObject({ reason: { code: "too-large" } });
  });

  it("never throws, whatever the bytes", () => {
    const spoilt = fc
      .tuple(fc.nat(line.length - 1), fc.uint8Array({ minLength: 1, maxLength: 4 }))
      .map(([at, bytes]) =>
        Buffer.concat([Buffer.from(line.slice(0, at)), bytes, Buffer.from(line.slice(at))]),
      );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), spoilt), (raw) => {
        expect(["event", "blank", "malformed"]).toContain(codec.decode(raw).kind);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps unknown fields unchecked, but no __proto__", () => {
    const { decode } = json(schema, { unknownFields: "keep" });
    const result = decode(`{"extra":{"deep":[1]},"__proto__":{"polluted":true},${line.slice(1)}`);
    expect(result).toEqual({ kind: "event", event: { ...order, extra: { deep: [1] } } });
    const copy: object = Object.assign({}, result.kind === "event" ? result.event : undefined);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect("polluted" in copy).toBe(false);
  });

  it("refuses unknown fields by name, after what the schema refuses", () => {
    const codec = json(schema, { unknownFields: "refuse" });
    expect(both(codec, line)).toStrictEqual({ kind: "event", event: order });
    for (const name of ["extra", "__proto__", "n".repeat(100)]) {
      const text = `{"${name}":1,${line.slice(1)}`;
      const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name;
      expect(both(codec, text)).toStrictEqual({
        kind: "malformed",
        reason: { code: "wrong-shape", path: name, message: `field "${shown}" is unknown` },
      });
      expect(both(codec, text.replace("9.5", "null"))).toMatchObject({ reason: { path: "total" } });
    }
  });

  it("writes what it reads", () => {
    expect(codec.encode(order)).toBe(line);
  });
});

describe("unknown fields that the schema itself refuses", () => {
  it.each<[string, StandardSchemaV1<unknown, { id: string }>]>([
    ["zod", z.strictObject({ id: z.string() })],
    ["valibot", v.strictObject({ id: v.string() })],
    ["arktype", type({ id: "string", "+": "reject" })],
  ])("are named in the same way with %s, and no option brings them back", (_, schema) => {
    for (const unknownFields of ["schema", "strip", "keep", "refuse"] as const) {
      const { decode } = json(schema, { unknownFields });
      expect(decode('{"id":"a"}')).toStrictEqual({ kind: "event", event: { id: "a" } });
      expect(decode('{"id":"a","x":1}')).toStrictEqual({
        kind: "malformed",
        reason: { code: "wrong-shape", path: "x", message: 'field "x" is unknown' },
      });
    }
  });

  it.each<[string, StandardSchemaV1<unknown, { id: string }>]>([
    ["zod", z.looseObject({ id: z.string() })],
    ["valibot", v.looseObject({ id: v.string() })],
    ["arktype", type({ id: "string" })],
  ])("and those that a loose one of %s keeps are stripped by the option", (_, schema) => {
    const text = '{"id":"a","x":1,"__proto__":2}';
    expect(json(schema).decode(text)).toEqual({ kind: "event", event: { id: "a", x: 1 } });
    const stripped = json(schema, { unknownFields: "strip" });
    expect(stripped.decode(text)).toStrictEqual({ kind: "event", event: { id: "a" } });
    expect(json(schema, { unknownFields: "refuse" }).decode(text)).toMatchObject({ reason: { path: "x" } });
  });

  it("need a schema whose fields can be seen", () => {
    const opaque = z.object({ id: z.string() }).transform((value) => value);
    expect(json(opaque).decode('{"id":"a","x":1}')).toStrictEqual({ kind: "event", event: { id: "a" } });
    for (const unknownFields of ["strip", "keep", "refuse"] as const) {
      expect(() => json(opaque, { unknownFields })).toThrow(InvalidOptionError);
    }
  });
});

describe("duplicateNames", () => {
  const { decode } = json(z.looseObject({}), { duplicateNames: "refuse" });

  it.each([
    ['{"a":1,"a":1}', "a"],
    [String.raw`{"a":1,"\u0061":2}`, "a"],
    ['{"a" : 1 , "b":[{"c":{}}, {"c":1,"d":"\\"","c" :2}]}', "b.[].c"],
    ['{"":1,"":2}', ""],
    ['{"a":{"x":1},"b":{"x":1,"y":{"z":1,"z":2}}}', "b.y.z"],
  ])("refuses %s", (text, path) => {
    expect(decode(text)).toStrictEqual({
      kind: "malformed",
      reason: { code: "duplicate-name", path, message: `field ${JSON.stringify(path)} is given twice` },
    });
  });

  it.each([
    '{"a":"a","b":"a"}',
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1},"a","a"]}',
    String.raw`{"a":"\\","b":"{\"b\":1"}`,
    "[]",
  ])("takes %s", (text) => {
    expect(decode(text)).not.toMatchObject({ reason: { code: "duplicate-name" } });
  });

  it("refuses no text that JSON.stringify makes, and any with a member repeated", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify({ first: 1, value });
        expect(decode(text).kind).toBe("event");
        expect(decode(`${text.slice(0, -1)},"first":2}`)).toMatchObject({ reason: { path: "first" } });
        expect(decode(text.replace('"first":1', '"first":[{"x":1,"x":1}]'))).toMatchObject({
          reason: { path: "first.[].x" },
        });
      }),
    );
  });

  it("reads a line of many megabytes", () => {
    const large = json({ duplicateNames: "refuse", maxEventBytes: 2 ** 30 });
    const text = String.raw`\n`.repeat(10_000_000);
    expect(large.decode(`{"a":"${text}"}`).kind).toBe("event");
    expect(large.decode(`{"a":"${text}","a":1}`)).toMatchObject({ reason: { code: "duplicate-name" } });
  });
});

describe("a schema that cannot be had", () => {
  const ours = (validate: (value: unknown) => StandardSchemaV1.Result<unknown>): StandardSchemaV1 => ({
    "~standard": { version: 1, vendor: "ours", validate },
  });
  const later: StandardSchemaV1 = {
    "~standard": { version: 1, vendor: "later", validate: (value) => Promise.resolve({ value }) },
  };

  it.each<[string, StandardSchemaV1]>([
    ["another library", later],
    ["zod", z.string().refine(() => Promise.resolve(true))],
    ["zod, in a field", z.object({ id: z.string().refine(() => Promise.resolve(true)) })],
    [
      "zod, in an optional field",
      z.object({
        id: z
          .number()
          .transform((n) => Promise.resolve(n))
          .optional(),
      }),
    ],
    ["valibot", v.objectAsync({ id: v.string() })],
    [
      "valibot, in a field",
      v.objectAsync({
        id: v.pipeAsync(
          v.string(),
          v.checkAsync(() => Promise.resolve(true)),
        ),
      }),
    ],
  ])("is refused where it is asynchronous: %s", (_, schema) => {
    expect(() => json(schema)).toThrow(AsyncSchemaError);
    expect(() => json(schema)).toThrow(/validates asynchronously/);
  });

  it("is refused at the first line where no trial has shown it", () => {
    const whole = z.object({ id: z.string() }).refine(() => Promise.resolve(true));
    const { decode, pick } = json(whole);
    expect(decode('{"id":1}').kind).toBe("malformed");
    expect(() => decode('{"id":"a"}')).toThrow(AsyncSchemaError);
    expect(() => pick("id").decode('{"id":"a"}')).toThrow(AsyncSchemaError);
  });

  it("makes a line malformed where it throws, and asks it again for the next", () => {
    const refuse = (text: string): boolean => {
      if (text === "bad") throw new Error("no such user");
      return true;
    };
    for (const schema of [
      z.object({ id: z.string().refine(refuse) }),
      v.object({ id: v.pipe(v.string(), v.check(refuse)) }),
      type({ id: type("string").narrow(refuse) }),
    ]) {
      const codec = json(schema as StandardSchemaV1<unknown, { id: string }>);
      for (const decoder of [codec, codec.pick("id")]) {
        expect(decoder.decode('{"id":"good"}')).toStrictEqual({ kind: "event", event: { id: "good" } });
        expect(decoder.decode('{"id":"bad"}')).toStrictEqual({
          kind: "malformed",
          reason: { code: "schema-threw", message: "no such user" },
        });
      }
    }
  });

  it("may be any other value than an object, and of any library", () => {
    expect(json(z.number()).decode("42")).toStrictEqual({ kind: "event", event: 42 });
    const words = ours((value) => (typeof value === "string" ? { value: value.split(" ") } : { issues: [] }));
    expect(json(words).decode('"a b"')).toStrictEqual({ kind: "event", event: ["a", "b"] });
    expect(json(words).decode("1")).toStrictEqual({
      kind: "malformed",
      reason: { code: "wrong-shape", path: "", message: "the schema refuses it" },
    });
  });

  it("may have issues with paths of segments and symbols, and messages of any length", () => {
    const path = [{ key: "a" }, 0, Symbol("s")];
    const result = json(ours(() => ({ issues: [{ message: "x".repeat(1_000), path }] }))).decode(
      '{"a":[{}]}',
    );
    expect(result).toMatchObject({ reason: { path: "a.0.Symbol(s)" } });
    expect(JSON.stringify(result).length).toBeLessThan(700);
  });

  it.each([
    ["undefined, as in a circle of imports", undefined],
    ["of a library without the standard", { parse: () => 1 }],
  ])("is refused where it is %s", (_, schema) => {
    expect(() => json(schema as unknown as StandardSchemaV1)).toThrow(InvalidOptionError);
  });
});

describe("json without a schema", () => {
  const codec = json<Order>();

  it("takes any object for an event", () => {
    expect(both(codec, line)).toStrictEqual({ kind: "event", event: order });
    expect(both(codec, '{"__proto__":1,"x":[]}')).toStrictEqual({ kind: "event", event: { x: [] } });
    expect(both(codec, "")).toStrictEqual({ kind: "blank" });
    expect(both(codec, "{")).toMatchObject({ reason: { code: "invalid-json" } });
  });

  it.each(["1", "null", '"x"', "[]", "true"])("refuses %s", (text) => {
    expect(both(codec, text)).toStrictEqual({
      kind: "malformed",
      reason: { code: "wrong-shape", path: "", message: "an event is a JSON object" },
    });
  });

  it("picks fields of any type, and those that are there", () => {
    const { decode } = codec.pick("id", "total");
    for (const text of [
      line,
      line,
      '{"id":"a","total":1}',
      '{"id":"b","total":1}',
      '{"total":null}',
      '{"total":null}',
    ]) {
      const { id, total } = JSON.parse(text) as Order;
      expect(decode(text)).toEqual({ kind: "event", event: { id, total } });
    }
    expect(decode('{"total":null}')).toStrictEqual({ kind: "event", event: { total: null } });
    expect(decode("[]").kind).toBe("malformed");
    expect(decode("{}")).toStrictEqual({ kind: "event", event: {} });
  });
});

describe("options", () => {
  it.each([0, -1, NaN, 0.5])("refuse maxEventBytes %p", (maxEventBytes) => {
    expect(() => json({ maxEventBytes })).toThrow(InvalidOptionError);
  });

  it.each([
    { unknownFields: "drop" },
    { unknownFields: "toString" },
    { duplicateNames: "first" },
    { maxBytes: 1 },
  ])("refuse %p", (options) => {
    expect(() => json(z.object({}), options as JsonOptions)).toThrow(InvalidOptionError);
  });

  it("that are undefined are not given", () => {
    const options = { maxEventBytes: undefined, unknownFields: undefined, duplicateNames: undefined };
    expect(() => json(z.object({}), options as unknown as JsonOptions)).not.toThrow();
  });
});
