import type { ClosingFold, Json } from "@millrace/windowing";
import { numberOf } from "./condition.ts";
import { typeOf } from "./field.ts";
import type { Field } from "./field.ts";

/** An accumulator, and whether an event has had a value for it. */
interface Given<A> {
  inner: A;
  some: boolean;
}

/** Makes a fold of numbers that it gets by the function. */
type FoldOfNumbers<A> = (valueOf: (value: number) => number) => ClosingFold<number, A, number>;

/**
 * The number in a field: a boolean is 1 or 0, and a text may be a number. `undefined`: the field is missing or null.
 *
 * @throws TypeError for another value
 */
export function numberIn(field: Field): (event: object) => number | undefined {
  return (event) => {
    const value = field.of(event);
    // JSON has numbers such as 1e999, which are infinite here.
    if (typeof value === "number" && Number.isFinite(value)) return value;
    if (value === undefined || value === null) return undefined;
    if (typeof value === "boolean") return Number(value);
    const number = typeof value === "string" ? numberOf(value) : undefined;
    if (number !== undefined && Number.isFinite(number)) return number;
    throw new TypeError(`field "${field.path}" is ${typeOf(value)}, not a finite number`);
  };
}

/** A fold of the events whose field has a number; its result is null where none has. */
export function foldNumbers<A>(
  field: Field,
  foldOf: FoldOfNumbers<A>,
): ClosingFold<object, Given<A>, number | null> {
  const fold = foldOf((value) => value);
  const { growth, kind = "fold" } = fold;
  const read = numberIn(field);
  const take = (state: Given<A>, value: number | undefined, timestamp: number): Given<A> => {
    if (value === undefined) return state;
    state.inner = fold.add(state.inner, value, timestamp);
    state.some = true;
    return state;
  };
  return {
    kind: `given(${kind})`,
    create: (room) => ({ inner: fold.create(room), some: false }),
    add: (state, event, timestamp) => take(state, read(event), timestamp),
    split: { read, take },
    merge: (earlier, later) => ({
      inner: fold.merge(earlier.inner, later.inner),
      some: earlier.some || later.some,
    }),
    result: ({ inner, some }) => (some ? fold.result(inner) : null),
    snapshot: ({ inner, some }) => (some ? [fold.snapshot(inner)] : []),
    restore(state, room) {
      const held: readonly Json[] = Array.isArray(state) ? state : [];
      const [inner] = held;
      return inner === undefined
        ? { inner: fold.create(room), some: false }
        : { inner: fold.restore(inner, room), some: true };
    },
    overflow: ({ inner }) => fold.overflow?.(inner) ?? 0,
    ...(growth === undefined
      ? {}
      : {
          growth: {
            accumulators: growth.accumulators,
            hold: ({ inner }: Given<A>) => {
              growth.hold(inner);
            },
            release: ({ inner }: Given<A>) => {
              growth.release(inner);
            },
          },
        }),
  };
}
