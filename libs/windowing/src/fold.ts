import type { Json } from "./json.ts";

/**
 * How a window's events become one value. Write your own in ten lines; `foldLaws` in the tests of this library
 * shows what is expected of one.
 *
 * An accumulator may be a plain value or an object that `add` changes in place; `add` and `merge` return the
 * accumulator that holds from then on.
 *
 * @typeParam V an event's value. @typeParam A the accumulator. @typeParam R the result.
 */
export interface ClosingFold<V, A, R> {
  /** A fresh accumulator. */
  create(): A;
  /** Takes in one event. `timestamp` is its event time in ms. */
  add(accumulator: A, value: V, timestamp: number): A;
  /** Takes the accumulator of a later session into that of an earlier one, when the two merge. */
  merge(earlier: A, later: A): A;
  /** The value; it must not change when the accumulator does. */
  result(accumulator: A): R;
  /** The accumulator as JSON; it must not change when the accumulator does. */
  snapshot(accumulator: A): Json;
  /** The accumulator that `snapshot` told of. */
  restore(state: Json): A;
}

/** A fold whose rows leave when a window closes or, where it has `match`, while events come in. */
export interface Fold<V, A, R> extends ClosingFold<V, A, R> {
  /**
   * Where present, rows leave while events come in, and none when the window closes: called after each `add`;
   * anything but undefined is a row (cause `match`).
   */
  match?(accumulator: A): R | undefined;
}
