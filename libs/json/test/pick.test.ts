import { describe, expect, it, jest } from "@jest/globals";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { z } from "zod";
import {
  InvalidOptionError,
  json,
  type DecodeResult,
  type JsonOptions,
  type StandardSchemaV1,
} from "@millrace/json";
import { anyCharacter, anyFlatSchema, FIELD_KINDS, LIBRARIES, schemaOf } from "./flat-schemas.ts";

/** A line by parse, schema and pick, without anything of this library; undefined where it is refused. */
function reference(schema: StandardSchemaV1, line: string, fields?: readonly string[]): unknown {
  try {
    const result = schema["~standard"].validate(JSON.parse(line));
    if (result instanceof Promise) {
      result.catch(() => undefined);
      return undefined;
    }
    if (result.issues !== undefined) return undefined;
    const event = result.value as Readonly<Record<string, unknown>>;
    if (fields === undefined) return withoutProto(event);
    return Object.fromEntries(
      fields.filter((name) => Object.hasOwn(event, name)).map((name) => [name, event[name]]),
    );
  } catch {
    return undefined;
  }
}

function withoutProto(event: object): unknown {
  if (Array.isArray(event)) return event as readonly unknown[];
  return Object.fromEntries(Object.entries(event).filter(([name]) => name !== "__proto__"));
}

/** Says a decoder's result in the reference's terms. */
function eventOf(result: DecodeResult<unknown>): unknown {
  return result.kind === "event" ? result.event : undefined;
}

/** The picks of fields that no type knows. */
function pickOf(schema: StandardSchemaV1, fields: readonly string[], options?: JsonOptions) {
  const codec = json(schema as StandardSchemaV1<unknown, Readonly<Record<string, unknown>>>, options);
  return { codec, projection: codec.pick(...fields) };
}

/** JSON of the same value in another program's hand. */
const anySpelling = fc.record({
  turn: fc.nat(5),
  colon: fc.constantFrom(":", ": ", " : "),
  comma: fc.constantFrom(",", ", ", ",\t"),
  ends: fc.constantFrom(["", ""], [" ", "\r"], ["", " "]),
});
type Spelling = typeof anySpelling extends fc.Arbitrary<infer S> ? S : never;

function spell(value: object, { turn, colon, comma, ends }: Spelling): string {
  const members = Object.entries(value).map(
    ([name, field]) => JSON.stringify(name) + colon + JSON.stringify(field),
  );
  const at = turn % Math.max(members.length, 1);
  return `${ends[0]}{${[...members.slice(at), ...members.slice(0, at)].join(comma)}}${ends[1]}`;
}

const anyPiece = fc.oneof(
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
    "null",
  ),
  fc.constantFrom(
    "1",
    "-",
    "0",
    ".5",
    "e400",
    "1e999",
    "-0",
    "123456789012345678901234567890",
    '"red"',
    '""',
  ),
  fc.constantFrom(',"extra":1', ',"id":"x"', '"__proto__":{},', '"zone":null,'),
  fc.string({ unit: anyCharacter, maxLength: 3 }),
);
const anyMutation = fc.record({ at: fc.nat(60), cut: fc.nat(8), piece: anyPiece });
const anyOdd = fc.oneof(
  fc.record({ name: fc.constantFrom("id", "zone", "extra", "__proto__", "field"), value: fc.jsonValue() }),
  fc.record({
    name: fc.constantFrom("id", "zone", "a.b", "extra"),
    value: fc.constantFrom(null, true, 1, -0, "", "red", "three", 2.5, "1"),
  }),
);

const MOST_ROUNDS = 5;
/** Schemas for each library; a larger `PICK_RUNS` finds what is rarer. */
const RUNS = Number(process.env["PICK_RUNS"] ?? 60);

describe.each(LIBRARIES)("pick of a schema of %s", (library) => {
  it("accepts, refuses and decodes any line as parse, schema and pick do", () => {
    let matched = 0;
    let refused = 0;
    // One round may happen to have few lines that match; the counts are those of all rounds.
    for (let round = 0; round < MOST_ROUNDS && Math.min(matched, refused) <= RUNS; round++) {
      fc.assert(
        fc.property(
          anyFlatSchema.chain(({ names, schemas, value }) =>
            fc.record({
              schema: fc.constant(schemas[library]()),
              fields: fc.subarray([...names]),
              values: fc.array(value, { minLength: 2, maxLength: 12 }),
              spelling: anySpelling,
              odd: fc.array(anyOdd, { maxLength: 3 }),
              mutations: fc.array(anyMutation, { maxLength: 6 }),
            }),
          ),
          ({ schema, fields, values, spelling, odd, mutations }) => {
            const { codec, projection } = pickOf(schema, fields);
            const [first = {}] = values;
            const lines = [
              ...values,
              ...odd.map(({ name, value }) => withMember(first, name, value)),
              ...values,
            ].map((value) => spell(value, spelling));
            const [model = ""] = lines;
            for (const { at, cut, piece } of mutations) {
              lines.push(model.slice(0, at) + piece + model.slice(at + cut), model);
            }
            for (const line of lines) {
              const parse = jest.spyOn(JSON, "parse");
              const result = projection.decode(line);
              const isParsed = parse.mock.calls.length > 0;
              parse.mockRestore();
              if (!isParsed) matched += 1;
              if (result.kind === "malformed") refused += 1;
              const whole = codec.decode(line);
              expect(eventOf(whole)).toStrictEqual(reference(schema, line));
              expect(eventOf(result)).toStrictEqual(reference(schema, line, fields));
              if (result.kind !== "event") expect(result).toStrictEqual(whole);
            }
          },
        ),
        { numRuns: RUNS },
      );
    }
    // Otherwise the slow path was compared with itself, or with good lines only.
    expect(matched).toBeGreaterThan(RUNS);
    expect(refused).toBeGreaterThan(RUNS);
  });

  it.each(Object.keys(FIELD_KINDS))("reads a field of the kind %p as parse, schema and pick do", (kind) => {
    const { schemas, value } = schemaOf(kind);
    const schema = schemas[library]();
    const { codec, projection } = pickOf(schema, ["field"]);
    const odd = fc.record({ field: fc.jsonValue() }, { noNullPrototype: true });
    fc.assert(
      fc.property(fc.oneof(value, value, odd), (event) => {
        const line = JSON.stringify(event);
        expect(eventOf(codec.decode(line))).toStrictEqual(reference(schema, line));
        expect(eventOf(projection.decode(line))).toStrictEqual(reference(schema, line, ["field"]));
        expect(projection.decode(Buffer.from(line))).toStrictEqual(projection.decode(line));
      }),
      { numRuns: RUNS },
    );
    for (const line of [
      '{"field":1e999}',
      '{"field":-0}',
      '{"field":1e99}',
      '{"field":12345678901234567890123}',
      "{}",
      "[]",
    ]) {
      expect(eventOf(codec.decode(line))).toStrictEqual(reference(schema, line));
      expect(eventOf(projection.decode(line))).toStrictEqual(reference(schema, line, ["field"]));
    }
  });
});

describe("pick", () => {
  const visit = z.object({
    id: z.string(),
    zone: z.string().min(1),
    mobile: z.boolean(),
    age: z.int().optional(),
  });
  const line = '{"id":"v-1","zone":"UTC","mobile":true,"age":30}';

  it("gives the fields asked for, and no others, and lacks what the event lacks", () => {
    const { decode } = json(visit).pick("mobile", "age", "mobile");
    for (const text of [line, line, line]) {
      expect(decode(text)).toStrictEqual({ kind: "event", event: { mobile: true, age: 30 } });
      expect(decode(text.replace(',"age":30', ""))).toStrictEqual({ kind: "event", event: { mobile: true } });
    }
    expect(json(visit).pick().decode(line)).toStrictEqual({ kind: "event", event: {} });
  });

  it("parses one line of a layout and no other, also where fields have to be checked by their schemas", () => {
    const { decode } = json(visit).pick("zone");
    const parse = jest.spyOn(JSON, "parse");
    for (let i = 0; i < 1_000; i++) decode(line.replace("30", String(i)).replace("v-1", `v-${i}`));
    expect(parse).toHaveBeenCalledTimes(1);
    parse.mockRestore();
    expect(decode(line.replace("30", "1.5"))).toMatchObject({ reason: { path: "age" } });
  });

  it("is not deceived by a choice that looks like more of the line", () => {
    const schema = z.object({ id: z.enum(["a", 'a","id":"b', 'a"', "a\\"]) });
    const { decode } = json(schema).pick("id");
    for (const text of [
      '{"id":"a"}',
      '{"id":"a","id":"b"}',
      '{"id":"a""}',
      String.raw`{"id":"a\\"}`,
      '{"id":"a"}',
    ]) {
      expect(eventOf(decode(text))).toStrictEqual(reference(schema, text, ["id"]));
    }
  });

  it("keeps to the options", () => {
    for (const options of [
      { unknownFields: "refuse" },
      { unknownFields: "keep" },
      { maxEventBytes: 50 },
    ] as const) {
      const codec = json(visit, options);
      const { decode } = codec.pick("zone");
      for (const text of [line, `{"more":1,${line.slice(1)}`, line, `{"more":1,${line.slice(1)}`]) {
        const whole = codec.decode(text);
        expect(decode(text)).toStrictEqual(
          whole.kind === "event" ? { kind: "event", event: { zone: "UTC" } } : whole,
        );
      }
    }
  });

  it("refuses a field that the schema does not have, and no field that a line may bring", () => {
    const strange = "toString" as "id";
    expect(() => json(visit).pick(strange)).toThrow(InvalidOptionError);
    expect(() => json(z.strictObject({ id: z.string() })).pick("more" as "id")).toThrow(InvalidOptionError);
    const { decode } = json(z.looseObject({ id: z.string() })).pick("more");
    for (const text of ['{"id":"a","more":1}', '{"id":"b","more":2}']) {
      const { more } = JSON.parse(text) as { more: number };
      expect(decode(text)).toStrictEqual({ kind: "event", event: { more } });
    }
  });

  it("needs no code made of text: a known layout is read without parsing where that is forbidden", () => {
    const Original = globalThis.Function;
    const refusing = function (): never {
      throw new EvalError("Code generation from strings disallowed for this context");
    };
    globalThis.Function = Object.assign(refusing, {
      prototype: Original.prototype,
    }) as unknown as typeof Function;
    const parse = jest.spyOn(JSON, "parse");
    try {
      const { decode } = json(visit).pick("zone");
      for (let i = 0; i < 3; i++)
        expect(decode(line)).toStrictEqual({ kind: "event", event: { zone: "UTC" } });
      expect(parse).toHaveBeenCalledTimes(1);
      expect(decode(line.replace("true", "1"))).toMatchObject({ reason: { path: "mobile" } });
    } finally {
      parse.mockRestore();
      globalThis.Function = Original;
    }
  });
});

/** As JSON.parse would have it, `__proto__` included. */
function withMember(value: object, name: string, member: unknown): object {
  return Object.fromEntries([...Object.entries(value).filter(([each]) => each !== name), [name, member]]);
}
