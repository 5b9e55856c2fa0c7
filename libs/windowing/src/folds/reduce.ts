import { copyJson, Verbatim } from "../verbatim.ts";
import type { Fold } from "../fold.ts";

/**
 * Combines the events' values two by two; the first one stands by itself. Values must be JSON, since they are
 * kept in snapshots, and `combine` must give a new value or change its first argument, never its second.
 */
export function reduce<V, T>(
  valueOf: (value: V) => T,
  combine: (earlier: T, later: T) => T,
): Fold<V, T | undefined, T> {
  const codec = new Verbatim<T | undefined>();
  return {
    create: () => undefined,
    add: (reduced, value) => (reduced === undefined ? valueOf(value) : combine(reduced, valueOf(value))),
    merge: (earlier, later) =>
      earlier === undefined ? later : later === undefined ? earlier : combine(earlier, later),
    // Only an accumulator with an event in it is ever asked for its result.
    result: (reduced) => copyJson(reduced as T),
    snapshot: (reduced) => copyJson(codec.snapshot(reduced)),
    restore: (state) => copyJson(codec.restore(state)),
  };
}
