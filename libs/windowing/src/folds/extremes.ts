import { numberFrom } from "../fields.ts";
import type { Fold, Seeded } from "../fold.ts";
import { requireFinite, seedNumber } from "./fold-values.ts";

/** The minimum of a finite number of each event; anything else is an error of that event ({@link FoldValueError}). */
export function min<V>(valueOf: (value: V) => number): Fold<V, number | undefined, number> & Seeded<number> {
  return extreme("min", valueOf, (a, b) => (b < a ? b : a));
}

/** The maximum of a finite number of each event; anything else is an error of that event ({@link FoldValueError}). */
export function max<V>(valueOf: (value: V) => number): Fold<V, number | undefined, number> & Seeded<number> {
  return extreme("max", valueOf, (a, b) => (b > a ? b : a));
}

function extreme<V>(
  name: string,
  valueOf: (value: V) => number,
  better: (a: number, b: number) => number,
): Fold<V, number | undefined, number> & Seeded<number> {
  const read = (value: V): number => requireFinite(name, valueOf(value));
  const take = (held: number | undefined, value: number): number =>
    held === undefined ? value : better(held, value);
  return {
    kind: name,
    create: () => undefined,
    add: (held, value) => take(held, read(value)),
    split: { read, take },
    merge: (earlier, later) => (later === undefined ? earlier : take(earlier, later)),
    // The result is requested only for an accumulator with at least one event.
    result: (held) => held ?? Number.NaN,
    snapshot: (held) => held ?? null,
    restore: numberFrom,
    seed: seedNumber(name),
  };
}
