import { isDeepStrictEqual } from "node:util";

/** What came out of running a vector: nothing, or how it differs. */
export type Difference = string | undefined;

/** Compares by content; objects regardless of the order of their fields. */
export function compare(what: string, actual: unknown, expected: unknown): Difference {
  if (isDeepStrictEqual(actual, expected)) return undefined;
  return `${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`;
}

/** The first difference of several comparisons. */
export function firstOf(...differences: readonly Difference[]): Difference {
  return differences.find((difference) => difference !== undefined);
}
