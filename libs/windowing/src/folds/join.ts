import { at } from "../at.ts";
import { listFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";
import { Verbatim } from "../verbatim.ts";

/** The sides of a join by name: how to read its value from an event; undefined = the event is not of this side. */
export type JoinSides = Readonly<Record<string, (event: never) => unknown>>;

/** The events that all sides can read. */
export type JoinEvent<S extends JoinSides> = S[keyof S] extends (event: infer V) => unknown ? V : never;

/** What the sides came to; null = the side has no event. */
export type Joined<S extends JoinSides> = {
  readonly [Side in keyof S]: Exclude<ReturnType<S[Side]>, undefined> | null;
};

/** The values of each side, in the order of `sides`: one at most, unless all of them count. */
export type JoinState = unknown[][];

/** What is joined, and when a row leaves. */
export interface JoinOptions<S extends JoinSides> {
  /** Values must be JSON. */
  readonly sides: S;
  /**
   * Which event of a side counts. With `product` all do, and a result is the list of every combination.
   * @default "last"
   */
  readonly insert?: "first" | "last" | "product";
  /**
   * `final`: a result when the window closes. `complete`: as soon as every side has an event, after which the
   * sides start afresh. `running`: after every event. @default "final"
   */
  readonly emit?: "final" | "complete" | "running";
}

/**
 * Brings events of two or more kinds together that share a key and a window.
 *
 * @typeParam S the sides by name
 */
export function join<S extends JoinSides>(
  options: JoinOptions<S> & { readonly insert: "product" },
): Fold<JoinEvent<S>, JoinState, readonly Joined<S>[]>;
export function join<S extends JoinSides>(
  options: JoinOptions<S> & { readonly insert?: "first" | "last" },
): Fold<JoinEvent<S>, JoinState, Joined<S>>;
export function join<S extends JoinSides>(
  options: JoinOptions<S>,
): Fold<JoinEvent<S>, JoinState, readonly Joined<S>[] | Joined<S>> {
  const { sides, insert = "last", emit = "final" } = options;
  const names = Object.keys(sides);
  const readers = Object.values(sides) as ((event: JoinEvent<S>) => unknown)[];
  const place = PLACE[insert];
  const result = (state: JoinState): readonly Joined<S>[] | Joined<S> => {
    const rows = combinations(names, state) as Joined<S>[];
    return insert === "product" ? rows : at(rows, 0);
  };
  const fold: Fold<JoinEvent<S>, JoinState, readonly Joined<S>[] | Joined<S>> = {
    create: () => names.map(() => []),
    add(state, event) {
      readers.forEach((read, side) => {
        const value = read(event);
        if (value !== undefined) place(at(state, side), [value]);
      });
      return state;
    },
    merge(earlier, later) {
      later.forEach((values, side) => {
        place(at(earlier, side), values);
      });
      return earlier;
    },
    result,
    snapshot: (state) => state.map((values) => values.map((value) => verbatim.snapshot(value))),
    restore: (state) =>
      listFrom(state).map((values) => listFrom(values).map((json) => verbatim.restore(json))),
  };
  if (emit === "final") return fold;
  if (emit === "running") return { ...fold, match: result };
  return {
    ...fold,
    match(state) {
      if (state.some((values) => values.length === 0)) return undefined;
      const row = result(state);
      for (const values of state) values.length = 0;
      return row;
    },
  };
}

const verbatim = new Verbatim<unknown>();

/** How values come to those that a side has. */
const PLACE = {
  first: (held: unknown[], values: readonly unknown[]): void => {
    if (held.length === 0) held.push(...values);
  },
  last: (held: unknown[], values: readonly unknown[]): void => {
    if (values.length > 0) held.splice(0, held.length, ...values);
  },
  product: (held: unknown[], values: readonly unknown[]): void => {
    for (const value of values) held.push(value);
  },
};

/** Every choice of one value per side, the last side changing fastest; null where a side has none. */
function combinations(names: readonly string[], state: JoinState): Record<string, unknown>[] {
  let rows: [string, unknown][][] = [[]];
  names.forEach((name, side) => {
    const values = at(state, side);
    const choices = values.length === 0 ? [null] : values;
    rows = rows.flatMap((row) => choices.map((value): [string, unknown][] => [...row, [name, value]]));
  });
  return rows.map((row) => Object.fromEntries(row));
}
