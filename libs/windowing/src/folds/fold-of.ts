import { messageOf, WindowOptionsError } from "../errors.ts";
import type { ClosingFold, Seeded } from "../fold.ts";
import type { CodecOption, JsonLike } from "../json.ts";
import { opaqueFold, type Opaque, type OpaqueBounds } from "./opaque.ts";

// Every runtime has it, but the types of the language do not.
declare function structuredClone<T>(value: T): T;

/** A fold as three or four functions. */
export interface FoldSpec<V, A, R = A> {
  /** A new accumulator. */
  create(): A;
  /**
   * Adds one event. It returns a new accumulator, or changes the given one in place and returns it, but only after
   * everything that may throw.
   */
  add(accumulator: A, value: V, timestamp: number): A;
  /** Merges the accumulator of a later session into that of an earlier one. */
  merge(earlier: A, later: A): A;
  /** The row's value, if it is not the accumulator: it must share no mutable part with it. */
  result?(accumulator: A): R;
  /**
   * Copies an accumulator that is in a row, or that a later row will have as `previous`, before `add` or `merge` changes
   * it in place. `false`: the two never change an accumulator in place, and nothing is ever copied.
   *
   * @default structuredClone, which supports plain objects, lists, Map, Set and Date, but not your own classes
   */
  readonly copy?: ((accumulator: A) => A) | false;
  /** Describes the accumulator: state written with another kind is refused. @default "fold" */
  readonly kind?: string;
}

/**
 * A fold of your own. The accumulator must be JSON, or have a codec, and is the result unless there is a `result`.
 * It is stored whole, with each commit that changed it, so it should stay small: one that is larger than `maxBytes`
 * takes no more events in, and the row's `overflow` counts them.
 *
 * A row must not change when its accumulator does. So if a key and window have a row already, the first later change is
 * made to a copy (`copy`): at most one copy for each row. Without a store nothing else is copied.
 *
 * @throws WindowOptionsError if there is no `copy` and `structuredClone` does not support the accumulator
 */
export function foldOf<V, A, R = A>(
  spec: FoldSpec<V, A, R> & Pick<FoldSpec<V, JsonLike<A>>, "create">,
  options?: OpaqueBounds,
): ClosingFold<V, Opaque<A>, R> & Seeded<A>;
export function foldOf<V, A, R = A>(
  spec: FoldSpec<V, A, R>,
  options: CodecOption<A> & OpaqueBounds,
): ClosingFold<V, Opaque<A>, R> & Seeded<A>;
export function foldOf<V, A>(
  spec: FoldSpec<V, A, unknown>,
  options: Partial<CodecOption<A>> & OpaqueBounds = {},
): ClosingFold<V, Opaque<A>, unknown> & Seeded<A> {
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
    `foldOf cannot copy its accumulator: structuredClone turns a ${before} into a ${after}. ${REMEDY}`,
  );
}

const REMEDY = "Give it a copy, or copy: false if add and merge never change an accumulator in place.";

/** By name: a value may come from another realm, which has other classes. */
function classOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.getPrototypeOf(value) === null ? "Object" : value.constructor.name;
}
