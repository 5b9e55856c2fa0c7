import { messageOf, WindowOptionsError } from "../errors.ts";
import type { ClosingFold } from "../fold.ts";
import type { CodecOption, JsonLike } from "../json.ts";
import { opaqueFold, type Opaque, type OpaqueBounds } from "./opaque.ts";

// In every runtime, and not among the types of the language.
declare function structuredClone<T>(value: T): T;

/** A fold in three functions, or four. */
export interface FoldSpec<V, A, R = A> {
  /** A fresh accumulator. */
  create(): A;
  /**
   * Takes in one event. It gives a new accumulator, or changes the one it got in place and gives that; but not before
   * the last thing that may throw.
   */
  add(accumulator: A, value: V, timestamp: number): A;
  /** Takes the accumulator of a later session into that of an earlier one. */
  merge(earlier: A, later: A): A;
  /** What the row has, if it is not the accumulator: it must share nothing with it that may change. */
  result?(accumulator: A): R;
  /**
   * A copy of an accumulator that a row has, or that a later row will call `previous`, made before `add` or `merge`
   * changes it in place. `false`: the two never change one in place, and nothing is ever copied.
   *
   * @default structuredClone, which keeps plain objects, lists, Map, Set and Date, and no class of your own
   */
  readonly copy?: ((accumulator: A) => A) | false;
  /** What the accumulator is: state that was kept with a fold of another kind is refused. @default "fold" */
  readonly kind?: string;
}

/**
 * A fold of your own. The accumulator must be JSON, or have a codec, and is the result unless `result` says
 * otherwise. It is kept whole, with each commit that changed it, so it should stay small: one that is larger than
 * `maxBytes` takes no more events in, and the row's `overflow` says how many those were.
 *
 * A row must not change when its accumulator does. So where a key and window have a row already, and events change them
 * after that, the first of these changes is made to a copy (`copy`): at most one for each row. Nothing else is copied
 * without a store.
 *
 * @throws WindowOptionsError where there is no `copy` and `structuredClone` does not do
 */
export function foldOf<V, A, R = A>(
  spec: FoldSpec<V, A, R> & Pick<FoldSpec<V, JsonLike<A>>, "create">,
  options?: OpaqueBounds,
): ClosingFold<V, Opaque<A>, R>;
export function foldOf<V, A, R = A>(
  spec: FoldSpec<V, A, R>,
  options: CodecOption<A> & OpaqueBounds,
): ClosingFold<V, Opaque<A>, R>;
export function foldOf<V, A>(
  spec: FoldSpec<V, A, unknown>,
  options: Partial<CodecOption<A>> & OpaqueBounds = {},
): ClosingFold<V, Opaque<A>, unknown> {
  if (spec.copy === undefined) requireClonable(spec.create());
  const { fold } = opaqueFold<V, V, A, unknown>(
    {
      name: "foldOf",
      kind: spec.kind,
      create: () => spec.create(),
      read: (value) => value,
      take: (accumulator, value, timestamp) => spec.add(accumulator, value, timestamp),
      merge: (earlier, later) => spec.merge(earlier, later),
      result: spec.result?.bind(spec),
      copy: spec.copy === false ? undefined : (spec.copy ?? structuredClone<A>),
    },
    options,
  );
  return fold;
}

/** @throws WindowOptionsError */
function requireClonable(accumulator: unknown): void {
  let clone: unknown;
  try {
    clone = structuredClone(accumulator);
  } catch (error) {
    throw new WindowOptionsError(`foldOf cannot copy its accumulator: ${messageOf(error)}. ${REMEDY}`);
  }
  const [before, after] = [classOf(accumulator), classOf(clone)];
  if (before === after) return;
  throw new WindowOptionsError(
    `foldOf cannot copy its accumulator: structuredClone makes a ${after} of a ${before}. ${REMEDY}`,
  );
}

const REMEDY = "Give it a copy, or copy: false if add and merge never change an accumulator in place.";

/** By name: a value may come from another realm, where classes are others. */
function classOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.getPrototypeOf(value) === null ? "Object" : value.constructor.name;
}
