import type { Fold } from "../fold.ts";
import { asJson, copyJson, fromJson } from "../json-values.ts";

/** A fold whose accumulator is JSON and is the result. */
export interface FoldSpec<V, A> {
  create(): A;
  /** Takes in one event; may change the accumulator in place. */
  add(accumulator: A, value: V, timestamp: number): A;
  /** Takes the accumulator of a later session into that of an earlier one. */
  merge(earlier: A, later: A): A;
}

/** A fold of your own in three functions, where the accumulator is JSON and is the result. */
export function foldOf<V, A>({ create, add, merge }: FoldSpec<V, A>): Fold<V, A, A> {
  return {
    create,
    add,
    merge,
    result: copyJson,
    snapshot: (accumulator) => copyJson(asJson(accumulator)),
    restore: (state) => copyJson(fromJson<A>(state)),
  };
}
