import type { ClosingFold } from "../fold.ts";
import type { CodecOption, Json, JsonLike } from "../json.ts";
import { jsonCodec } from "../codecs.ts";
import { requireJson } from "./fold-values.ts";

/** A fold in three functions, or four. */
export interface FoldSpec<V, A, R = A> {
  /** A fresh accumulator. */
  create(): A;
  /** Takes in one event; may change the accumulator in place, but not before the last thing that may throw. */
  add(accumulator: A, value: V, timestamp: number): A;
  /** Takes the accumulator of a later session into that of an earlier one. */
  merge(earlier: A, later: A): A;
  /** What the row has, if it is not the accumulator: it must share nothing with it that may change. */
  result?(accumulator: A): R;
  /** What the accumulator is: state that was kept with a fold of another kind is refused. @default "fold" */
  readonly kind?: string;
}

/** An accumulator, and whether a row or a snapshot has it too. */
export interface Shared<A> {
  value: A;
  shared: boolean;
}

/**
 * A fold of your own. The accumulator must be JSON, or have a codec, and is the result unless `result` says
 * otherwise. It is kept whole, with each commit that changed it, so it should stay small.
 *
 * Nothing is copied for a row. Only if an accumulator changes after it has gone out, as an early result, as what the
 * next row calls `previous`, or into a snapshot, the change is made to a copy, by way of its JSON: the row or the
 * snapshot must not change with it, and of a value of one's own nothing else is known than how it becomes JSON. So
 * without a store there is one copy for each row that is followed by another one of its key and window.
 */
export function foldOf<V, A, R = A>(
  spec: FoldSpec<V, A, R> & Pick<FoldSpec<V, JsonLike<A>>, "create">,
): ClosingFold<V, Shared<A>, R>;
export function foldOf<V, A, R = A>(
  spec: FoldSpec<V, A, R>,
  options: CodecOption<A>,
): ClosingFold<V, Shared<A>, R>;
export function foldOf<V, A>(
  spec: FoldSpec<V, A, unknown>,
  { codec }: CodecOption<A> = { codec: jsonCodec() },
): ClosingFold<V, Shared<A>, unknown> {
  const snapshot = (value: A): Json => requireJson("foldOf", codec.snapshot(value));
  const own = (held: Shared<A>): A => {
    if (held.shared) {
      held.value = codec.restore(JSON.parse(JSON.stringify(snapshot(held.value))) as Json);
      held.shared = false;
    }
    return held.value;
  };
  return {
    ...(spec.kind === undefined ? {} : { kind: spec.kind }),
    create: () => ({ value: spec.create(), shared: false }),
    add(held, value, timestamp) {
      held.value = spec.add(own(held), value, timestamp);
      return held;
    },
    merge(earlier, later) {
      earlier.value = spec.merge(own(earlier), own(later));
      return earlier;
    },
    result(held) {
      if (spec.result !== undefined) return spec.result(held.value);
      held.shared = true;
      return held.value;
    },
    snapshot(held) {
      held.shared = true;
      return snapshot(held.value);
    },
    restore: (state) => ({ value: codec.restore(state), shared: true }),
  };
}
