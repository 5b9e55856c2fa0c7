import type { Fold } from "../fold.ts";
import type { CodecOption, JsonLike } from "../json.ts";
import { jsonCodec } from "../codecs.ts";
import { requireFinite, requireJson } from "./fold-values.ts";

/**
 * Combines the events' values two by two; the first one stands by itself. `combine` must change neither of its
 * arguments, since both may be in rows and snapshots already: it gives one of them, or a new value. Nothing is ever
 * copied. Values must be JSON, or have a codec. The value is kept whole, with each commit that changed it.
 */
export function reduce<V, T>(
  valueOf: (value: V) => T & JsonLike<T>,
  combine: (earlier: T, later: T) => T,
): Fold<V, T | undefined, T>;
export function reduce<V, T>(
  valueOf: (value: V) => T,
  combine: (earlier: T, later: T) => T,
  options: CodecOption<T>,
): Fold<V, T | undefined, T>;
export function reduce<V, T>(
  valueOf: (value: V) => T,
  combine: (earlier: T, later: T) => T,
  { codec }: CodecOption<T> = { codec: jsonCodec() },
): Fold<V, T | undefined, T> {
  // An infinity or NaN could not be kept, and would spoil every value that follows.
  const finite = (value: T): T => (typeof value === "number" ? (requireFinite("reduce", value) as T) : value);
  const read = (value: V): T => finite(valueOf(value));
  const take = (reduced: T | undefined, value: T): T =>
    reduced === undefined ? value : finite(combine(reduced, value));
  return {
    kind: "reduce",
    create: () => undefined,
    add: (reduced, value) => take(reduced, read(value)),
    split: { read, take },
    merge: (earlier, later) => (later === undefined ? earlier : take(earlier, later)),
    // Only an accumulator with an event in it is ever asked for its result.
    result: (reduced) => reduced as T,
    snapshot: (reduced) => requireJson("reduce", codec.snapshot(reduced as T)),
    restore: (state) => codec.restore(state),
  };
}
