import { EventClock } from "@millrace/windowing";
import type { Clock, Fold } from "@millrace/windowing";

/** The value that a user's function was last called with: what an error is to name. */
export interface Trace<V> {
  value: V | undefined;
}

/** The fold, noting each value before it is added. */
export function tracedFold<V, A, R>(fold: Fold<V, A, R>, trace: Trace<V>): Fold<V, A, R> {
  return {
    create: () => fold.create(),
    add(accumulator, value, timestamp) {
      trace.value = value;
      return fold.add(accumulator, value, timestamp);
    },
    merge: (earlier, later) => fold.merge(earlier, later),
    result: (accumulator) => fold.result(accumulator),
    snapshot: (accumulator) => fold.snapshot(accumulator),
    restore: (state) => fold.restore(state),
    ...(fold.match === undefined ? {} : { match: (accumulator: A) => fold.match?.(accumulator) }),
  };
}

/** The clock, noting each value before its timestamp is read. */
export function tracedClock<V>(clock: Clock<V>, trace: Trace<V>): Clock<V> {
  if (clock.kind === "system" || clock.timestamp === undefined) return clock;
  const { timestamp, waitMs, maxFutureMs } = clock;
  return new EventClock<V>({
    timestamp(value) {
      trace.value = value;
      return timestamp(value);
    },
    waitMs: waitMs === Infinity ? "unbounded" : waitMs,
    maxFutureMs,
  });
}
