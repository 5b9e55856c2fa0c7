import { numberFrom } from "../fields.ts";
import type { Fold, Seeded } from "../fold.ts";
import { addFinite, requireFinite, seedNumber } from "./fold-values.ts";

/**
 * The sum of a finite number of each event; anything else is an error of that event ({@link FoldValueError}).
 * A sum beyond the range of numbers stays at the largest one, ±1.8e308.
 */
export function sum<V>(valueOf: (value: V) => number): Fold<V, number, number> & Seeded<number> {
  return {
    kind: "sum",
    create: () => 0,
    add(total, value) {
      const number = valueOf(value);
      const next = total + number;
      return Number.isFinite(next) ? next : addFinite(total, requireFinite("sum", number));
    },
    split: { read: (value) => requireFinite("sum", valueOf(value)), take: addFinite },
    merge: addFinite,
    result: (total) => total,
    snapshot: (total) => total,
    restore: numberFrom,
    seed: seedNumber("sum"),
  };
}

/** The number of events. */
export function count(): Fold<unknown, number, number> & Seeded<number> {
  return {
    kind: "count",
    create: () => 0,
    add: (total) => total + 1,
    split: { read: () => undefined, take: (total: number) => total + 1 },
    merge: (earlier, later) => earlier + later,
    result: (total) => total,
    snapshot: (total) => total,
    restore: numberFrom,
    seed: seedNumber("count"),
  };
}
