import type { ClosingFold } from "../fold.ts";
import { copyJson, Verbatim } from "../verbatim.ts";

/** A fold whose accumulator is JSON and is the result. */
export interface FoldSpec<V, A> {
  /** A fresh accumulator. */
  create(): A;
  /** Takes in one event; may change the accumulator in place. */
  add(accumulator: A, value: V, timestamp: number): A;
  /** Takes the accumulator of a later session into that of an earlier one. */
  merge(earlier: A, later: A): A;
}

/** A fold of your own in three functions, where the accumulator is JSON and is the result. */
export function foldOf<V, A>(spec: FoldSpec<V, A>): ClosingFold<V, A, A> {
  const codec = new Verbatim<A>();
  return {
    create: () => spec.create(),
    add: (accumulator, value, timestamp) => spec.add(accumulator, value, timestamp),
    merge: (earlier, later) => spec.merge(earlier, later),
    result: copyJson,
    snapshot: (accumulator) => copyJson(codec.snapshot(accumulator)),
    restore: (state) => copyJson(codec.restore(state)),
  };
}
