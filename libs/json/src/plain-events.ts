import { compile, quoted } from "./compile.ts";
import type { Field, FieldRule, ObjectShape } from "./describe/object-shape.ts";

/** Takes a parsed line for an event; undefined where it is for the schema to say what it is. */
export type TakePlain = (value: unknown) => object | undefined;

const NEVER: TakePlain = () => undefined;

/**
 * The schema's yes without the schema's cost, where its fields are all there is to it: a function that knows an event by
 * its fields' rules and copies it. A no, or what is rare, is left to the schema.
 */
export function plainEvents(shape: ObjectShape | undefined): TakePlain {
  // What keeps unknown fields would have to copy them, in the schema's own order.
  if (shape?.transparent !== true || shape.unknown === "keep") return NEVER;
  const fields = [...shape.fields].map(([name, field], i) => ({ name: quoted(name), at: `v${i}`, field }));
  const choices: ReadonlySet<string>[] = [];
  const tests: string[] = [];
  for (const { at, field } of fields) {
    const test = testOf(field.rule, at, choices);
    if (test === undefined) return NEVER;
    tests.push(`if (!(${[test, ...exceptions(field, at)].join(" || ")})) return undefined;`);
  }
  const make = compile(
    ["choices"],
    `return (value) => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
      ${fields.map(({ name, at }) => `const ${at} = value[${name}];`).join("\n")}
      ${tests.join("\n")}
      ${shape.unknown === "refuse" ? `if (Object.keys(value).length !== ${countOf(fields)}) return undefined;` : ""}
      ${copyOf(fields)}
      return event;
    }`,
  );
  return make === undefined ? NEVER : (make(choices) as TakePlain);
}

interface NamedField {
  /** As a literal. */
  readonly name: string;
  /** The variable that has the value: undefined where it is absent, since JSON has no such value. */
  readonly at: string;
  readonly field: Field;
}

/** An expression that is true where `at` is a value of the rule; undefined for a rule that only its schema knows. */
function testOf(rule: FieldRule, at: string, choices: ReadonlySet<string>[]): string | undefined {
  switch (rule.kind) {
    case "text":
      return `typeof ${at} === "string"${rule.nonEmpty ? ` && ${at} !== ""` : ""}`;
    case "number":
      // Libraries differ in what they make of a number that is too large, which JSON.parse makes Infinity.
      return `Number.isFinite(${at})`;
    case "boolean":
      return `typeof ${at} === "boolean"`;
    case "choice":
      choices.push(new Set(rule.texts));
      return `choices[${choices.length - 1}].has(${at})`;
    case "checked":
      return undefined;
  }
}

function exceptions({ rule, mayBeAbsent }: Field, at: string): readonly string[] {
  return [
    ...(rule.kind !== "checked" && rule.nullable ? [`${at} === null`] : []),
    ...(mayBeAbsent ? [`${at} === undefined`] : []),
  ];
}

function countOf(fields: readonly NamedField[]): string {
  const required = fields.filter(({ field }) => !field.mayBeAbsent).length;
  const optional = fields.filter(({ field }) => field.mayBeAbsent).map(({ at }) => `(${at} !== undefined)`);
  return `(${[String(required), ...optional].join(" + ")})`;
}

/** In the schema's order: a literal as far as fields are required, then one store each. */
function copyOf(fields: readonly NamedField[]): string {
  const firstOptional = fields.findIndex(({ field }) => field.mayBeAbsent);
  const literal = firstOptional < 0 ? fields : fields.slice(0, firstOptional);
  const stores = fields.slice(literal.length).map(({ name, at, field }) => {
    const store = `event[${name}] = ${at};`;
    return field.mayBeAbsent ? `if (${at} !== undefined) ${store}` : store;
  });
  return [`const event = {${literal.map(({ name, at }) => `${name}: ${at}`).join(", ")}};`, ...stores].join(
    "\n",
  );
}
