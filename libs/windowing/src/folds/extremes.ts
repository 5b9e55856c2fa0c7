import type { Fold } from "../fold.ts";
import { reduce } from "./reduce.ts";

/** The lowest of a number told by each event. */
export function min<V>(valueOf: (value: V) => number): Fold<V, number | undefined, number> {
  return reduce(valueOf, (a, b) => (b < a ? b : a));
}

/** The highest of a number told by each event. */
export function max<V>(valueOf: (value: V) => number): Fold<V, number | undefined, number> {
  return reduce(valueOf, (a, b) => (b > a ? b : a));
}
