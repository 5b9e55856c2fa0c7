import { fits, type Field, type FieldRule, type ObjectShape } from "./describe/object-shape.ts";

/** The event of a parsed line, or undefined to leave the value to the schema. */
export type PlainEvent = (value: unknown) => object | undefined;

/**
 * What the schema would return, without its cost, if the schema is no more than its fields. A parsed object that has its
 * fields in the right order, as the lines of most programs do, is the event itself; other objects are copied.
 */
export function plainEvents(shape: ObjectShape | undefined): PlainEvent {
  const fields = [...(shape?.fields ?? [])].map(namedField);
  if (shape?.transparent !== true || fields.some(({ rule }) => rule.kind === "checked"))
    return () => undefined;
  const { unknown, reorders } = shape;
  // Arrays of primitive values: to read them is faster than to read objects of several hidden classes.
  const names = fields.map(({ name }) => name);
  const shortestTexts = fields.map(shortestText);
  const places = new Map(names.map((name, place) => [name, place]));

  return (value) => {
    if (!isRecord(value)) return undefined;
    let next = 0;
    let present = 0;
    let isOrdered = true;
    let hasOthers = false;
    // Over the object's names, not the schema's: V8 reads a field fast by a name that the object itself gives.
    for (const name in value) {
      if (names[next] !== name) {
        const place = places.get(name);
        if (place === undefined) {
          if (unknown === "refuse" || name === "__proto__") return undefined;
          hasOthers = true;
          // A field after it is not in order.
          next = names.length;
          continue;
        }
        if (place < next && reorders) isOrdered = false;
        next = place;
      }
      const field = value[name];
      if (!(typeof field === "string" && field.length >= (shortestTexts[next] ?? Infinity))) {
        if (!isOf(fields[next], field)) return undefined;
      }
      next += 1;
      present += 1;
    }
    const given = present === names.length ? names : givenOf(value, fields);
    if (given === undefined) return undefined;
    if (isOrdered && !(hasOthers && unknown === "strip")) return value;
    return unknown === "keep" || !reorders ? undefined : copied(value, given);
  };
}

/** The names of the fields that an object has; undefined if it lacks a field that may not be absent. */
function givenOf(value: Parsed, fields: readonly NamedField[]): readonly string[] | undefined {
  const given = fields.filter(({ name }) => Object.hasOwn(value, name));
  if (fields.some((field) => !field.mayBeAbsent && !given.includes(field))) return undefined;
  return given.map(({ name }) => name);
}

type Parsed = Readonly<Record<string, unknown>>;

interface NamedField {
  readonly name: string;
  readonly mayBeAbsent: boolean;
  readonly rule: FieldRule;
}

function namedField([name, { rule, mayBeAbsent }]: [string, Field]): NamedField {
  return { name, mayBeAbsent, rule };
}

/** The fields of these names, in their order, and no others. */
function copied(value: Parsed, names: readonly string[]): object {
  const event: Record<string, unknown> = {};
  for (const name of names) event[name] = value[name];
  return event;
}

/** In UTF-16 units; infinite if the length alone does not decide. */
function shortestText({ rule }: NamedField): number {
  return rule.kind === "text" ? Number(rule.nonEmpty) : Infinity;
}

function isOf(field: NamedField | undefined, value: unknown): boolean {
  return field !== undefined && fits(field.rule, value);
}

function isRecord(value: unknown): value is Parsed {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
