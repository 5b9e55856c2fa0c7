import { FoldValueError } from "../errors.ts";
import type { StoredAccumulator } from "../fold.ts";
import { jsonBytes, type Json } from "../json.ts";

/** The value, if a fold of numbers accepts it. @throws FoldValueError */
export function requireFinite(fold: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new FoldValueError(
    `${fold} takes finite numbers, and got ${shown(value)}. ` +
      "Filter such events out before the window, or give the window an error policy.",
  );
}

/**
 * Adds two finite numbers. A sum beyond the range of numbers stays at the largest one, ±1.8e308: infinity has no JSON,
 * and could become NaN.
 */
export function addFinite(a: number, b: number): number {
  const sum = a + b;
  return Number.isFinite(sum) ? sum : Math.sign(sum) * Number.MAX_VALUE;
}

/** The bytes of a value's JSON. @throws FoldValueError if it is not JSON */
export function requireJsonBytes(fold: string, value: unknown): number {
  const bytes = jsonBytes(value);
  if (!Number.isNaN(bytes)) return bytes;
  throw new FoldValueError(
    `${fold} keeps JSON, and got ${shown(value)}. Give the fold a codec, or convert the value to JSON.`,
  );
}

/** The value, if it is JSON as declared. @throws FoldValueError */
export function requireJson(fold: string, value: Json): Json {
  requireJsonBytes(fold, value);
  return value;
}

/** Values that can be compared: primitives, which are equal when they look equal. */
export type Scalar = string | number | boolean | null;

/** The value, if it can be compared. For other values, equality would not survive a restart. @throws FoldValueError */
export function requireScalar<T extends Scalar>(fold: string, value: T | undefined): T | undefined {
  const type = typeof value;
  const isScalar = type === "number" ? Number.isFinite(value) : value === null || type !== "object";
  if (isScalar) return value;
  throw new FoldValueError(
    `${fold} takes texts, finite numbers, booleans and null, and valueOf gave ${shown(value)}. ` +
      "Convert the value to one of these.",
  );
}

/** A value as text for an error message. */
export function shown(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const name = value.constructor.name;
  return name === "Object" || name === "Array" ? "an object with a field that is not JSON" : `a ${name}`;
}

/** Makes a stored accumulator that is a finite number. @param fold its kind */
export function seedNumber(fold: string): (value: number) => StoredAccumulator {
  return (value) => ({ state: requireFinite(fold, value), parts: [] });
}
