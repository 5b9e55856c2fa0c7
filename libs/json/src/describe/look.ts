import type { AnySchema } from "../validate.ts";

/** A thing of a library whose insides no type describes: objects, and functions that serve as such. */
export type Insides = Readonly<Record<string, unknown>>;

export function isInsides(value: unknown): value is Insides {
  return (typeof value === "object" || typeof value === "function") && value !== null;
}

/** What lies at the end of `path` in `value`; undefined where there is no such way. */
export function look(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const name of path) at = isInsides(at) ? at[name] : undefined;
  return at;
}

/** Whether `value` has no other properties than these: what is not known may change the meaning of what is. */
export function hasOnly(value: unknown, names: readonly string[]): boolean {
  return isInsides(value) && Object.keys(value).every((name) => names.includes(name));
}

export function isSchema(value: unknown): value is AnySchema {
  return typeof look(value, "~standard", "validate") === "function";
}

export function isTexts(values: readonly unknown[]): values is readonly string[] {
  return values.every((value) => typeof value === "string");
}
