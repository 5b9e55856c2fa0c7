import type { AnySchema } from "../validate.ts";

/**
 * What a field's value may be, if that can be seen from outside. `checked` is anything else (a format, a bound, a
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
  /** The schema of the field alone. It accepts the values that the object's schema accepts for this field. */
  readonly schema: AnySchema;
  /** Whether an object may lack the field, and the event then lacks it too: it has no default. */
  readonly mayBeAbsent: boolean;
}

/** What can be seen of a schema of objects. */
export interface ObjectShape {
  readonly fields: ReadonlyMap<string, Field>;
  /** What the schema does with fields that it does not have. */
  readonly unknown: "strip" | "keep" | "refuse";
  /** Whether an event is valid if each of its fields is: there is no refinement of the whole, for example. */
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

/** Whether a rule accepts a JSON value unchanged. */
export function fits(rule: FieldRule, value: unknown): boolean {
  switch (rule.kind) {
    case "text":
      return typeof value === "string" ? !(rule.nonEmpty && value === "") : isTakenNull(rule, value);
    case "number":
      // A number that is too large, which JSON.parse reads as Infinity, is not the same in all libraries.
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
