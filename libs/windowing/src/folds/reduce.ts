import type { Fold, Seeded } from "../fold.ts";
import type { CodecOption, JsonLike } from "../json.ts";
import { requireFinite } from "./fold-values.ts";
import { opaqueFold, type Opaque, type OpaqueBounds } from "./opaque.ts";

/**
 * Combines the events' values two at a time; a single value is the result itself. `combine` must change neither of its
 * arguments, since both may be in rows already: it returns one of them, or a new value. Nothing is ever copied. Values
 * must be JSON, or have a codec. The value is stored whole, with each commit that changed it: one that is larger than
 * `maxBytes` takes no more events in, and the row's `overflow` counts them.
 */
export function reduce<V, T>(
  valueOf: (value: V) => T & JsonLike<T>,
  combine: (earlier: T, later: T) => T,
  options?: OpaqueBounds,
): Fold<V, Opaque<T | undefined>, T> & Seeded<T>;
export function reduce<V, T>(
  valueOf: (value: V) => T,
  combine: (earlier: T, later: T) => T,
  options: CodecOption<T> & OpaqueBounds,
): Fold<V, Opaque<T | undefined>, T> & Seeded<T>;
export function reduce<V, T>(
  valueOf: (value: V) => T,
  combine: (earlier: T, later: T) => T,
  options: Partial<CodecOption<T>> & OpaqueBounds = {},
): Fold<V, Opaque<T | undefined>, T> & Seeded<T> {
  // Infinity and NaN have no JSON, and would make every later value invalid.
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
      // The result is requested only for an accumulator with at least one event.
      result: (reduced) => reduced as T,
      copy: undefined,
    },
    options,
  );
  return { ...fold, split: { read, take } };
}
