import { type, type Type } from "arktype";
import fc from "fast-check";
import * as v from "valibot";
import { z } from "zod";
import type { StandardSchemaV1 } from "@millrace/json";

/** Like the unit "binary" of fast-check, whose table of all characters takes a second to make. */
export const anyCharacter = fc
  .nat(0x10ffff)
  .map((code) => Buffer.from(String.fromCodePoint(code)).toString());

/** The same kind of field in three libraries, and values that are near to what it takes. */
interface FieldKind {
  readonly zod: () => z.ZodType;
  readonly valibot: () => v.GenericSchema;
  /** A definition; a text that ends with `?` would be an optional key, so that is `optional`. */
  readonly arktype: () => unknown;
  readonly optional?: true;
  readonly value: fc.Arbitrary<unknown>;
}

const anyText = fc.oneof(fc.string({ maxLength: 6 }), fc.string({ unit: anyCharacter, maxLength: 4 }));
const anyNumber = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const anyFlat = fc.oneof(anyText, anyNumber, fc.boolean(), fc.constant(null));
const colours = fc.constantFrom("red", "green", 'a"b', "", "a.b");
const throws = (value: string): string => {
  if (value.length === 3) throw new Error("three");
  return value;
};

/** Many of these can be seen through, many cannot. */
export const FIELD_KINDS: Readonly<Record<string, FieldKind>> = {
  text: { zod: () => z.string(), valibot: () => v.string(), arktype: () => "string", value: anyText },
  "text with a title": {
    zod: () => z.string().meta({ title: "t" }).describe("d"),
    valibot: () => v.pipe(v.string(), v.title("t"), v.description("d")),
    arktype: () => type("string").describe("d"),
    value: anyText,
  },
  "text that is not empty": {
    zod: () => z.string().min(1),
    valibot: () => v.pipe(v.string(), v.nonEmpty()),
    arktype: () => "string > 0",
    value: anyText,
  },
  "text of bounded length": {
    zod: () => z.string().min(2).max(4),
    valibot: () => v.pipe(v.string(), v.minLength(2), v.maxLength(4)),
    arktype: () => "2 <= string <= 4",
    value: anyText,
  },
  "text of a format": {
    zod: () => z.email(),
    valibot: () => v.pipe(v.string(), v.email()),
    arktype: () => "string.email",
    value: fc.oneof(fc.constantFrom("a@example.org", "a@", "x.y@example.com"), anyText),
  },
  "text that is trimmed": {
    zod: () => z.string().trim(),
    valibot: () => v.pipe(v.string(), v.trim()),
    arktype: () => "string.trim",
    value: fc.oneof(fc.constantFrom(" a", "b ", "c"), anyText),
  },
  "text that becomes a number": {
    zod: () => z.string().transform((text) => text.length),
    valibot: () =>
      v.pipe(
        v.string(),
        v.transform((text) => text.length),
      ),
    arktype: () => type("string").pipe((text) => text.length),
    value: anyText,
  },
  "text that is refined": {
    zod: () => z.string().refine((text) => text !== "red"),
    valibot: () =>
      v.pipe(
        v.string(),
        v.check((text) => text !== "red"),
      ),
    arktype: () => type("string").narrow((text) => text !== "red"),
    value: fc.oneof(colours, anyText),
  },
  "text that is not empty and refined": {
    zod: () =>
      z
        .string()
        .min(1)
        .refine((text) => text !== "red"),
    valibot: () =>
      v.pipe(
        v.string(),
        v.nonEmpty(),
        v.check((text) => text !== "red"),
      ),
    arktype: () => type("string > 0").narrow((text) => text !== "red"),
    value: fc.oneof(colours, anyText),
  },
  "text that makes its check throw": {
    zod: () => z.string().refine((text) => throws(text) !== "-"),
    valibot: () => v.pipe(v.string(), v.transform(throws)),
    arktype: () => type("string").pipe(throws),
    value: anyText,
  },
  number: { zod: () => z.number(), valibot: () => v.number(), arktype: () => "number", value: anyNumber },
  "number within bounds": {
    zod: () => z.number().min(-2).lt(3),
    valibot: () => v.pipe(v.number(), v.minValue(-2), v.ltValue(3)),
    arktype: () => "-2 <= number < 3",
    value: anyNumber,
  },
  "whole number": {
    zod: () => z.int(),
    valibot: () => v.pipe(v.number(), v.integer()),
    arktype: () => "number.integer",
    value: anyNumber,
  },
  "anything made a number": {
    zod: () => z.coerce.number(),
    valibot: () => v.pipe(v.unknown(), v.transform(Number), v.number()),
    arktype: () => "string.numeric.parse | number",
    value: anyFlat,
  },
  boolean: {
    zod: () => z.boolean(),
    valibot: () => v.boolean(),
    arktype: () => "boolean",
    value: fc.boolean(),
  },
  choice: {
    zod: () => z.enum(["red", "green", 'a"b', "a.b"]),
    valibot: () => v.picklist(["red", "green", 'a"b', "a.b"]),
    arktype: () => type.enumerated("red", "green", 'a"b', "a.b"),
    value: colours,
  },
  literal: {
    zod: () => z.literal("red"),
    valibot: () => v.literal("red"),
    arktype: () => "'red'",
    value: colours,
  },
  "mixed literals": {
    zod: () => z.literal(["red", 0, true, null]),
    valibot: () => v.union([v.literal("red"), v.literal(0), v.literal(true), v.null()]),
    arktype: () => type.enumerated("red", 0, true, null),
    value: fc.oneof(fc.constantFrom("red", 0, -0, 1, true, false, null), anyFlat),
  },
  "text or null": {
    zod: () => z.string().nullable(),
    valibot: () => v.nullable(v.string()),
    arktype: () => "string | null",
    value: fc.oneof(anyText, fc.constant(null)),
  },
  "choice or null": {
    zod: () => z.enum(["red"]).nullable(),
    valibot: () => v.nullable(v.picklist(["red"])),
    arktype: () => "'red' | null",
    value: fc.oneof(colours, fc.constant(null)),
  },
  "boolean or null": {
    zod: () => z.boolean().nullable(),
    valibot: () => v.nullable(v.boolean()),
    arktype: () => "boolean | null",
    value: fc.oneof(fc.boolean(), fc.constant(null)),
  },
  "text or number": {
    zod: () => z.union([z.string(), z.number()]),
    valibot: () => v.union([v.string(), v.number()]),
    arktype: () => "string | number",
    value: anyFlat,
  },
  "optional number": {
    zod: () => z.number().optional(),
    valibot: () => v.optional(v.number()),
    arktype: () => "number",
    optional: true,
    value: anyNumber,
  },
  "optional text that is refined": {
    zod: () => z.optional(z.string().refine((text) => text !== "red")),
    valibot: () =>
      v.exactOptional(
        v.pipe(
          v.string(),
          v.check((text) => text !== "red"),
        ),
      ),
    arktype: () => type("string").narrow((text) => text !== "red"),
    optional: true,
    value: fc.oneof(colours, anyText),
  },
  "number or null or nothing": {
    zod: () => z.number().nullish(),
    valibot: () => v.nullish(v.number()),
    arktype: () => "number | null",
    optional: true,
    value: fc.oneof(anyNumber, fc.constant(null)),
  },
  "text with a default": {
    zod: () => z.string().default("none"),
    valibot: () => v.optional(v.string(), "none"),
    arktype: () => "string = 'none'",
    optional: true,
    value: anyText,
  },
  "optional text with a default": {
    zod: () => z.string().default("none").optional(),
    valibot: () => v.optional(v.optional(v.string(), "none")),
    arktype: () => "string = 'none'",
    optional: true,
    value: anyText,
  },
  "number that falls back": {
    zod: () => z.number().catch(7),
    valibot: () => v.fallback(v.number(), 7),
    arktype: () => "number",
    optional: true,
    value: anyFlat,
  },
  anything: {
    zod: () => z.unknown(),
    valibot: () => v.unknown(),
    arktype: () => "unknown",
    value: fc.oneof(anyFlat, fc.jsonValue({ maxDepth: 1 })),
  },
  object: {
    zod: () => z.object({ a: z.string() }),
    valibot: () => v.object({ a: v.string() }),
    arktype: () => ({ a: "string" }),
    value: fc.oneof(fc.record({ a: anyText }, { noNullPrototype: true }), anyFlat),
  },
};

const NAMES = ["id", "zone", "a.b", 'q"', "no", "è"] as const;

/** How a schema's object is: what it does with unknown fields, and whether more is asked of it. */
const anyForm = fc.record({
  unknown: fc.constantFrom("strip", "keep", "refuse"),
  // Else half of all schemas could not be seen through.
  refined: fc.nat(5).map((i) => i === 0),
});

export const LIBRARIES = ["zod", "valibot", "arktype"] as const;

/** A flat schema, the same one in three libraries as far as they agree, and values for it. */
export interface FlatSchema {
  readonly names: readonly string[];
  /** Each builds a new schema: to build all three takes longer than most tests of one. */
  readonly schemas: Readonly<Record<(typeof LIBRARIES)[number], () => StandardSchemaV1>>;
  /** Objects that it mostly takes. */
  readonly value: fc.Arbitrary<object>;
}

export const anyFlatSchema: fc.Arbitrary<FlatSchema> = fc
  .tuple(
    fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 5 }),
    fc.array(fc.constantFrom(...Object.keys(FIELD_KINDS)), { minLength: 5, maxLength: 5 }),
    anyForm,
  )
  .map(([names, kinds, { unknown, refined }]) => {
    const fields = names.map((name, i): [string, FieldKind] => [name, kindOf(kinds[i] ?? "text")]);
    return flatSchema(fields, unknown, refined);
  });

function kindOf(name: string): FieldKind {
  const kind = FIELD_KINDS[name];
  if (kind === undefined) throw new Error(name);
  return kind;
}

/** A schema of one field. */
export function schemaOf(kind: string): FlatSchema {
  return flatSchema([["field", kindOf(kind)]], "strip", false);
}

type Unknown = "strip" | "keep" | "refuse";
type Fields = readonly (readonly [name: string, kind: FieldKind])[];

function flatSchema(fields: Fields, unknown: Unknown, refined: boolean): FlatSchema {
  return {
    names: fields.map(([name]) => name),
    schemas: {
      zod: () => zodSchema(fields, unknown, refined),
      valibot: () => valibotSchema(fields, unknown, refined),
      arktype: () => arktypeSchema(fields, unknown, refined),
    },
    value: fc
      .tuple(
        fc.tuple(...fields.map(([, { value }]) => value)),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: fields.length, maxLength: fields.length }),
      )
      .map(([values, left]) =>
        Object.fromEntries(
          fields.flatMap(([name, { optional }], i) =>
            optional === true && left[i] === 0 ? [] : [[name, values[i]]],
          ),
        ),
      ),
  };
}

function isFit(value: object): boolean {
  return !Object.values(value).some((each) => each === "red" || each === true);
}

function zodSchema(fields: Fields, unknown: Unknown, refined: boolean): StandardSchemaV1 {
  const make = { strip: z.object, keep: z.looseObject, refuse: z.strictObject }[unknown];
  const schema = make(Object.fromEntries(fields.map(([name, kind]) => [name, kind.zod()])));
  return refined ? schema.refine(isFit) : schema;
}

function valibotSchema(fields: Fields, unknown: Unknown, refined: boolean): StandardSchemaV1 {
  const entries = Object.fromEntries(fields.map(([name, kind]) => [name, kind.valibot()]));
  const schema = {
    strip: () => v.object(entries),
    keep: () => v.looseObject(entries),
    refuse: () => v.strictObject(entries),
  }[unknown]();
  return refined
    ? v.pipe(
        schema,
        v.check((value) => isFit(value)),
      )
    : schema;
}

function arktypeSchema(fields: Fields, unknown: Unknown, refined: boolean): StandardSchemaV1 {
  const definitions = fields.map(([name, { arktype, optional }]) => {
    const definition = arktype();
    const hasDefault = typeof definition === "string" && definition.includes(" = ");
    return [optional === true && !hasDefault ? `${name}?` : name, definition];
  });
  const onUnknown = { strip: "delete", keep: "ignore", refuse: "reject" }[unknown];
  const schema = type.raw({ ...Object.fromEntries(definitions), "+": onUnknown }) as Type<object>;
  return refined ? schema.narrow(isFit) : schema;
}
