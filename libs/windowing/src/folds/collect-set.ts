import { listFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";
import { Verbatim } from "../verbatim.ts";

/** What a set can hold: values that are equal when they look equal. */
export type Scalar = string | number | boolean | null;

/** The different values of a window's events, in order of their first appearance. */
export function collectSet<V, T extends Scalar>(valueOf: (value: V) => T): Fold<V, Set<T>, readonly T[]> {
  return setFold(valueOf, (set) => [...set]);
}

/** How many different values a window's events have, exactly. */
export function distinct<V, T extends Scalar>(valueOf: (value: V) => T): Fold<V, Set<T>, number> {
  return setFold(valueOf, (set) => set.size);
}

function setFold<V, T extends Scalar, R>(
  valueOf: (value: V) => T,
  result: (set: Set<T>) => R,
): Fold<V, Set<T>, R> {
  const codec = new Verbatim<T>();
  return {
    create: () => new Set(),
    add: (set, value) => set.add(valueOf(value)),
    merge(earlier, later) {
      for (const value of later) earlier.add(value);
      return earlier;
    },
    result,
    snapshot: (set) => [...set],
    restore: (state) => new Set(listFrom(state).map((json) => codec.restore(json))),
  };
}
