import { numberFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";

/** The sum of a number told by each event. */
export function sum<V>(valueOf: (value: V) => number): Fold<V, number, number> {
  return {
    create: () => 0,
    add: (total, value) => total + valueOf(value),
    merge: (earlier, later) => earlier + later,
    result: (total) => total,
    snapshot: (total) => total,
    restore: numberFrom,
  };
}
