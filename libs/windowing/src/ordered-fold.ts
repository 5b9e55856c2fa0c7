import { at } from "./at.ts";
import { listFrom, numberFrom } from "./fields.ts";
import type { Fold } from "./fold.ts";
import type { JsonCodec } from "./json.ts";

/** A window's events as they came, in columns. */
export interface Buffered<V> {
  readonly timestamps: number[];
  readonly values: V[];
}

/** A fold that keeps the events and folds them by timestamp when the result is asked for, equal ones as they came. */
export function orderedFold<V, A, R>(fold: Fold<V, A, R>, codec: JsonCodec<V>): Fold<V, Buffered<V>, R> {
  return {
    create: () => ({ timestamps: [], values: [] }),
    add(buffered, value, timestamp) {
      buffered.timestamps.push(timestamp);
      buffered.values.push(value);
      return buffered;
    },
    // Two sessions never hold the same instant, so that "as they came" needs no order across them.
    merge(earlier, later) {
      for (const timestamp of later.timestamps) earlier.timestamps.push(timestamp);
      for (const value of later.values) earlier.values.push(value);
      return earlier;
    },
    result({ timestamps, values }) {
      let accumulator = fold.create();
      for (const index of sortedIndexes(timestamps)) {
        accumulator = fold.add(accumulator, at(values, index), at(timestamps, index));
      }
      return fold.result(accumulator);
    },
    snapshot: ({ timestamps, values }) => [[...timestamps], values.map((value) => codec.snapshot(value))],
    restore(state) {
      const [timestamps, values] = listFrom(state);
      return {
        timestamps: listFrom(timestamps).map(numberFrom),
        values: listFrom(values).map((json) => codec.restore(json)),
      };
    },
  };
}

function sortedIndexes(timestamps: readonly number[]): readonly number[] {
  const indexes = Array.from(timestamps.keys());
  return indexes.sort((a, b) => at(timestamps, a) - at(timestamps, b));
}
