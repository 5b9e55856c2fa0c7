import { fits, type Field, type FieldRule, type ObjectShape } from "./describe/object-shape.ts";

/** Whether a parsed line is an event as it is; a no leaves it to the schema to say what it is. */
export type IsPlain = (value: unknown) => value is object;

/**
 * The schema's yes without the schema's cost, where its fields are all there is to it: for an object that has them in
 * the schema's order and nothing else, as the lines of most programs do, so that nothing is left to copy.
 */
export function plainEvents(shape: ObjectShape | undefined): IsPlain {
  const fields = [...(shape?.fields ?? [])].map(namedField);
  if (shape?.transparent !== true || fields.some(({ rule }) => rule.kind === "checked")) return isNever;

  return (value): value is object => {
    if (!isRecord(value)) return false;
    let next = 0;
    // Over the names of the object, not of the schema: an access by a name that the object itself gives is cheap.
    for (const name in value) {
      let field = fields[next++];
      while (field !== undefined && field.name !== name && field.mayBeAbsent) field = fields[next++];
      if (field?.name !== name || !isOf(field, value[name])) return false;
    }
    while (fields[next]?.mayBeAbsent === true) next += 1;
    return next === fields.length;
  };
}

/** A field with what most values are asked at hand. All of them have one hidden class, as rules do not. */
interface NamedField {
  readonly name: string;
  readonly mayBeAbsent: boolean;
  /** In UTF-16 units; infinite where length is not all there is to a text. */
  readonly shortestText: number;
  readonly rule: FieldRule;
}

function namedField([name, { rule, mayBeAbsent }]: [string, Field]): NamedField {
  return { name, mayBeAbsent, shortestText: rule.kind === "text" ? Number(rule.nonEmpty) : Infinity, rule };
}

function isOf({ shortestText, rule }: NamedField, value: unknown): boolean {
  return (typeof value === "string" && value.length >= shortestText) || fits(rule, value);
}

function isNever(value: unknown): value is object {
  return value !== value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
