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
 * What can be seen of a schema; undefined if that is nothing.
 *
 * The Standard JSON Schema of a schema would not help: it leaves out refinements, which refuse lines too.
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
  // A schema that looks for a field with `in` finds the properties that every object inherits.
  const transparent = shape.transparent && ![...fields.keys()].some((name) => name in Object.prototype);
  return { ...shape, fields, transparent };
}

/** Another version of a library may have other internals, so anything may go wrong. */
function shapeOf(schema: AnySchema, vendor: string): ObjectShape | undefined {
  try {
    return DESCRIBE.get(vendor)?.(schema);
  } catch {
    return undefined;
  }
}

type Sample = string | number | boolean | null;

const SAMPLES: readonly Sample[] = ["", "a", "é🦀", 0, -0, 1.5, -1e21, true, false, null];

/** The field with its rule, if the field's schema accepts and refuses the samples by that rule. */
function tried(field: Field): Field {
  const { rule, schema } = field;
  const validate = validatorOf(schema);
  const samples = rule.kind === "choice" ? [...SAMPLES, ...rule.texts] : SAMPLES;
  // All of them: only the last one may show that the schema is asynchronous.
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
