import type { Fold } from "../fold.ts";
import type { CodecOption, JsonLike } from "../json.ts";
import { requireFinite } from "./fold-values.ts";
import { opaqueFold, type Opaque, type OpaqueBounds } from "./opaque.ts";

/**
 * Combines the events' values two by two; the first one stands by itself. `combine` must change neither of its
 * arguments, since both may be in rows already: it gives one of them, or a new value. Nothing is ever copied. Values must
 * be JSON, or have a codec. The value is kept whole, with each commit that changed it: one that is larger than `maxBytes`
 * takes no more events in, and the row's `overflow` says how many those were.
 */
export function reduce<V, T>(
  valueOf: (value: V) => T & JsonLike<T>,
  combine: (earlier: T, later: T) => T,
  options?: OpaqueBounds,
): Fold<V, Opaque<T | undefined>, T>;
export function reduce<V, T>(
  valueOf: (value: V) => T,
  combine: (earlier: T, later: T) => T,
  options: CodecOption<T> & OpaqueBounds,
): Fold<V, Opaque<T | undefined>, T>;
export function reduce<V, T>(
  valueOf: (value: V) => T,
  combine: (earlier: T, later: T) => T,
  options: Partial<CodecOption<T>> & OpaqueBounds = {},
): Fold<V, Opaque<T | undefined>, T> {
  // An infinity or NaN could not be kept, and would spoil every value that follows.
  const finite = (value: T): T => (typeof value === "number" ? (requireFinite("reduce", value) as T) : value);
  const read = (value: V): T => finite(valueOf(value));
  const join = (reduced: T | undefined, value: T): T =>
    reduced === undefined ? value : finite(combine(reduced, value));
  const { fold, take } = opaqueFold<V, T, T | undefined, T>(
    {
      name: "reduce",
      kind: "reduce",
      create: () => undefined,
      read,
      take: join,
      merge: (earlier, later) => (later === undefined ? earlier : join(earlier, later)),
      // Only an accumulator with an event in it is ever asked for its result.
      result: (reduced) => reduced as T,
      copy: undefined,
    },
    options,
  );
  return { ...fold, split: { read, take } };
}
