import { describe, expect, it } from "@jest/globals";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import type { StandardSchemaV1 } from "@millrace/json";
import { describeSchema } from "../src/describe/describe-schema.ts";
import { schemaOf } from "./flat-schemas.ts";

/** In the words of this test. */
function seen(schema: StandardSchemaV1): string | undefined {
  const field = describeSchema(schema)?.fields.get("field");
  if (field === undefined) return undefined;
  const { rule, mayBeAbsent } = field;
  const words = [
    rule.kind === "text" && rule.nonEmpty ? "non-empty text" : rule.kind,
    ...(rule.kind === "choice" ? [[...rule.texts].toSorted().join("|")] : []),
    ...(rule.kind !== "checked" && rule.nullable ? ["or null"] : []),
    ...(mayBeAbsent ? ["or absent"] : []),
  ];
  return words.join(" ");
}

/** What is to be seen in all three libraries: else fields would be slow for no reason. */
const SEEN: Readonly<Record<string, string>> = {
  text: "text",
  "text with a title": "text",
  "text that is not empty": "non-empty text",
  "text of bounded length": "checked",
  "text of a format": "checked",
  "text that is trimmed": "checked",
  "text that is refined": "checked",
  "text that makes its check throw": "checked",
  number: "number",
  "number within bounds": "checked",
  boolean: "boolean",
  choice: 'choice a"b|a.b|green|red',
  literal: "choice red",
  "text or null": "text or null",
  "choice or null": "choice red or null",
  "boolean or null": "boolean or null",
  "optional number": "number or absent",
  "optional text that is refined": "checked or absent",
  "number or null or nothing": "number or null or absent",
};

describe.each(["zod", "valibot", "arktype"] as const)("describeSchema of %s", (library) => {
  it.each(Object.entries(SEEN))("sees %p as %p", (kind, expected) => {
    expect(seen(schemaOf(kind).schemas[library]())).toBe(expected);
  });
});

describe("describeSchema", () => {
  it.each<[string, StandardSchemaV1]>([
    ["zod", z.object({ field: z.string() }).refine(() => true)],
    ["zod", z.object({ field: z.string() }).catchall(z.number())],
    ["zod", z.object({ field: z.string(), toString: z.string().optional() })],
    [
      "valibot",
      v.pipe(
        v.object({ field: v.string() }),
        v.check(() => true),
      ),
    ],
    ["arktype", type({ field: "string" }).narrow(() => true)],
    ["arktype", type({ field: "string", "[string]": "string" })],
  ])("sees fields of %s, but not through the whole", (_, schema) => {
    const shape = describeSchema(schema);
    expect(shape?.fields.get("field")?.rule.kind).toBe("text");
    expect(shape?.transparent).toBe(false);
  });

  it.each<[string, StandardSchemaV1]>([
    ["a transform of the whole", z.object({ field: z.string() }).transform(({ field }) => field)],
    ["a transform of the whole", v.pipe(v.object({ field: v.string() }), v.transform(String))],
    ["a transform of the whole", type({ field: "string" }).pipe(String)],
    ["a union", z.union([z.object({ field: z.string() }), z.object({ field: z.number() })])],
    ["a rest", v.objectWithRest({ field: v.string() }, v.number())],
    ["a fallback", v.fallback(v.object({ field: v.string() }), { field: "" })],
    ["another library", { "~standard": { version: 1, vendor: "ours", validate: (value) => ({ value }) } }],
  ])("sees nothing of a schema that is %s", (_, schema) => {
    expect(describeSchema(schema)).toBeUndefined();
  });

  it("believes no description that the field's own schema contradicts", () => {
    // No type has it, but zod takes it.
    const never = { when: () => false } as object;
    const odd = z.string().min(1, never);
    const lax = { ...v.string(), "~run": (dataset: { value: unknown }) => ({ ...dataset, typed: true }) };
    Object.assign(lax, {
      "~standard": { ...v.string()["~standard"], validate: (value: unknown) => ({ value }) },
    });
    expect(seen(z.object({ field: odd }))).toBe("checked");
    expect(seen(v.object({ field: lax as unknown as v.GenericSchema }))).toBe("checked");
  });
});
