import type { AnySchema } from "../validate.ts";

/**
 * What a field's value may be, where that can be seen from outside. `checked` is anything else (a format, a bound, a
 * refinement, a transform): only the field's own schema knows.
 */
export type FieldRule =
  | { readonly kind: "text"; readonly nonEmpty: boolean; readonly nullable: boolean }
  | { readonly kind: "number"; readonly nullable: boolean }
  | { readonly kind: "boolean"; readonly nullable: boolean }
  | { readonly kind: "choice"; readonly texts: ReadonlySet<string>; readonly nullable: boolean }
  | { readonly kind: "checked" };

/** A field of an object. */
export interface Field {
  readonly rule: FieldRule;
  /** The schema of the field alone: it says of a value what the object's schema says of it as this field. */
  readonly schema: AnySchema;
  /** Whether an object may lack the field, and the event lacks it then: a default is another case. */
  readonly mayBeAbsent: boolean;
}

/** What can be seen of a schema that takes objects. */
export interface ObjectShape {
  readonly fields: ReadonlyMap<string, Field>;
  /** What the schema does with fields that it does not have. */
  readonly unknown: "strip" | "keep" | "refuse";
  /** Whether there is nothing to an event but its fields, each by itself: no refinement of the whole, for one. */
  readonly transparent: boolean;
  /** Whether an event's fields have the schema's order, otherwise they have the order of the line. */
  readonly reorders: boolean;
}

export const CHECKED: FieldRule = Object.freeze({ kind: "checked" });

export function text(nonEmpty: boolean): FieldRule {
  return { kind: "text", nonEmpty, nullable: false };
}

export function choice(texts: readonly string[]): FieldRule {
  return { kind: "choice", texts: new Set(texts), nullable: false };
}

export function nullable(rule: FieldRule): FieldRule {
  return rule.kind === "checked" ? rule : { ...rule, nullable: true };
}

/** Whether a rule takes a value of JSON as it is. */
export function fits(rule: FieldRule, value: unknown): boolean {
  switch (rule.kind) {
    case "text":
      return typeof value === "string" ? !(rule.nonEmpty && value === "") : isTakenNull(rule, value);
    case "number":
      // Libraries differ in what they make of a number that is too large, which JSON.parse makes Infinity.
      return Number.isFinite(value) || isTakenNull(rule, value);
    case "boolean":
      return typeof value === "boolean" || isTakenNull(rule, value);
    case "choice":
      return typeof value === "string" ? rule.texts.has(value) : isTakenNull(rule, value);
    case "checked":
      return false;
  }
}

function isTakenNull({ nullable }: { readonly nullable: boolean }, value: unknown): boolean {
  return nullable && value === null;
}
