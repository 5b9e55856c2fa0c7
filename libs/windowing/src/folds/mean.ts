import { listFrom, numberFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";

/** The accumulator of a mean. */
export interface MeanState {
  sum: number;
  count: number;
}

/** The arithmetic mean of a number told by each event. */
export function mean<V>(valueOf: (value: V) => number): Fold<V, MeanState, number> {
  return {
    create: () => ({ sum: 0, count: 0 }),
    add(state, value) {
      state.sum += valueOf(value);
      state.count++;
      return state;
    },
    merge: (earlier, later) => ({ sum: earlier.sum + later.sum, count: earlier.count + later.count }),
    result: ({ sum, count }) => sum / count,
    snapshot: ({ sum, count }) => [sum, count],
    restore(state) {
      const [sum, count] = listFrom(state);
      return { sum: numberFrom(sum), count: numberFrom(count) };
    },
  };
}
