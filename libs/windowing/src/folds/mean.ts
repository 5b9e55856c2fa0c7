import { listFrom, numberFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";
import { addFinite, requireFinite } from "./fold-values.ts";

/** The accumulator of a mean. */
export interface MeanState {
  sum: number;
  count: number;
}

/**
 * The arithmetic mean of a finite number of each event; anything else is an error of that event
 * ({@link FoldValueError}). The sum stays at ±1.8e308, the largest number, if it would exceed it.
 */
export function mean<V>(valueOf: (value: V) => number): Fold<V, MeanState, number> {
  const read = (value: V): number => requireFinite("mean", valueOf(value));
  const take = (state: MeanState, value: number): MeanState => {
    state.sum = addFinite(state.sum, value);
    state.count++;
    return state;
  };
  return {
    kind: "mean",
    create: () => ({ sum: 0, count: 0 }),
    add: (state, value) => take(state, read(value)),
    split: { read, take },
    merge: (earlier, later) => ({
      sum: addFinite(earlier.sum, later.sum),
      count: earlier.count + later.count,
    }),
    result: ({ sum, count }) => sum / count,
    snapshot: ({ sum, count }) => [sum, count],
    restore(state) {
      const [sum, count] = listFrom(state);
      return { sum: numberFrom(sum), count: numberFrom(count) };
    },
  };
}
