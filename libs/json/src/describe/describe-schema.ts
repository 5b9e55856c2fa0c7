import { AsyncSchemaError } from "../errors.ts";
import { Thrown, validatorOf, type AnySchema, type Validate } from "../validate.ts";
import { describeArktype } from "./arktype.ts";
import { look } from "./look.ts";
import { CHECKED, fits, type Field, type ObjectShape } from "./object-shape.ts";
import { describeValibot } from "./valibot.ts";
import { describeZod } from "./zod.ts";

const DESCRIBE: ReadonlyMap<string, (schema: AnySchema) => ObjectShape | undefined> = new Map([
  ["zod", describeZod],
  ["valibot", describeValibot],
  ["arktype", describeArktype],
]);

/**
 * What can be seen of a schema; undefined where that is nothing.
 *
 * The Standard JSON Schema of a schema would be no help: it leaves out refinements, which refuse lines, too.
 *
 * @throws {@link AsyncSchemaError} if a trial shows that it is asynchronous.
 */
export function describeSchema(schema: AnySchema): ObjectShape | undefined {
  const { vendor } = schema["~standard"];
  if (look(schema, "async") === true) throw new AsyncSchemaError(vendor);
  const validate = validatorOf(schema);
  for (const value of [undefined, {}, ...SAMPLES]) validate(value);
  const shape = shapeOf(schema, vendor);
  if (shape === undefined) return undefined;
  const fields = new Map<string, Field>();
  for (const [name, field] of shape.fields) fields.set(name, tried(field));
  // What every object inherits is not absent from any, for schemas that look for it with `in`.
  const transparent = shape.transparent && ![...fields.keys()].some((name) => name in Object.prototype);
  return { ...shape, fields, transparent };
}

/** A library's insides may be others than they were, so that anything may go wrong. */
function shapeOf(schema: AnySchema, vendor: string): ObjectShape | undefined {
  try {
    return DESCRIBE.get(vendor)?.(schema);
  } catch {
    return undefined;
  }
}

type Sample = string | number | boolean | null;

const SAMPLES: readonly Sample[] = ["", "a", "é🦀", 0, -0, 1.5, -1e21, true, false, null];

/** The field, its rule believed only where the field's schema takes and refuses as it should. */
function tried(field: Field): Field {
  const { rule, schema } = field;
  const validate = validatorOf(schema);
  const samples = rule.kind === "choice" ? [...SAMPLES, ...rule.texts] : SAMPLES;
  // All of them in any case: it may be the last one that shows the schema to be asynchronous.
  const verdicts = samples.map((sample) => [sample, isTakenAsIs(validate, sample)] as const);
  const holds = verdicts.every(([sample, taken]) => taken === fits(rule, sample));
  const mayBeAbsent = field.mayBeAbsent && !hasDefault(validate);
  return { schema, rule: holds ? rule : CHECKED, mayBeAbsent };
}

function isTakenAsIs(validate: Validate, value: unknown): boolean {
  const verdict = validate(value);
  if (verdict instanceof Thrown || verdict.issues !== undefined) return false;
  return Object.is(verdict.value, value);
}

function hasDefault(validate: Validate): boolean {
  const verdict = validate(undefined);
  return verdict instanceof Thrown || (verdict.issues === undefined && verdict.value !== undefined);
}
