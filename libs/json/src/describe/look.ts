import type { AnySchema } from "../validate.ts";

/** An object of a library (or a function that is one) whose properties no type describes. */
export type Insides = Readonly<Record<string, unknown>>;

export function isInsides(value: unknown): value is Insides {
  return (typeof value === "object" || typeof value === "function") && value !== null;
}

/** The property that `path` leads to; undefined if there is none. */
export function look(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const name of path) at = isInsides(at) ? at[name] : undefined;
  return at;
}

/** Whether `value` has only these properties: an unknown one may change the meaning of the others. */
export function hasOnly(value: unknown, names: readonly string[]): boolean {
  return isInsides(value) && Object.keys(value).every((name) => names.includes(name));
}

export function isSchema(value: unknown): value is AnySchema {
  return typeof look(value, "~standard", "validate") === "function";
}

export function isTexts(values: readonly unknown[]): values is readonly string[] {
  return values.every((value) => typeof value === "string");
}
