import { at } from "../at.ts";
import { damaged, listFrom, numberFrom } from "../fields.ts";
import type { Fold, FoldPart, FoldParts, PartChanges } from "../fold.ts";
import { jsonBytes, type Json } from "../json.ts";
import { MAX_ELEMENT_BYTES, boundsText, resolveBounds } from "./bounds.ts";
import { asHeld, ENDLESS_ROOM, growthBy, roomFor, type Roomy } from "../room.ts";
import { requireJsonBytes } from "./fold-values.ts";
import { GrowingList } from "./growing-list.ts";

/** The sides of a join by name: functions that read a value from an event; undefined = not of this side. */
export type JoinSides = Readonly<Record<string, (event: never) => unknown>>;

/** The events that all sides accept. */
export type JoinEvent<S extends JoinSides> = S[keyof S] extends (event: infer V) => unknown ? V : never;

/** The values of the sides; null = the side has no event. */
export type Joined<S extends JoinSides> = {
  readonly [Side in keyof S]: Exclude<ReturnType<S[Side]>, undefined> | null;
};

/** The values of one side. */
interface Side {
  readonly list: GrowingList<Json>;
  /** Bytes of JSON of all values. */
  bytes: number;
}

/** A value, and the bytes of its JSON. */
interface Sized {
  readonly value: Json;
  readonly bytes: number;
}

/** The accumulator of a join: the sides in order, with at most one value each unless all of them count. */
export interface JoinState extends Roomy {
  readonly sides: readonly Side[];
  overflow: number;
}

/** What is joined, and when a row is emitted. */
export interface JoinOptions<S extends JoinSides> {
  /** Values must be JSON. */
  readonly sides: S;
  /**
   * Which event of a side counts. With `product` all do, and a result is the list of all combinations.
   * @default "last"
   */
  readonly insert?: "first" | "last" | "product";
  /**
   * `final`: a result when the window closes. `complete`: as soon as every side has an event; then all sides are
   * emptied. `running`: after every event. @default "final"
   */
  readonly emit?: "final" | "complete" | "running";
  /**
   * Maximum number of combinations of a `product`. A value that exceeds it is left out, and counted as the row's
   * `overflow`; so is a value of more than 64 KiB. @default 10_000
   */
  readonly max?: number;
  /** Maximum bytes of JSON of a result; the same applies. @default 262_144 */
  readonly maxBytes?: number;
}

/** Default maximum number of combinations of a product. */
const DEFAULT_MAX_COMBINATIONS = 10_000;

/**
 * Joins events of two or more kinds that share a key and a window.
 *
 * @typeParam S the sides by name
 * @throws WindowOptionsError
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
  const bounds = resolveBounds("join", { ...options, max: options.max ?? DEFAULT_MAX_COMBINATIONS });
  const names = Object.keys(sides);
  // Names, a colon each, and a comma after the row.
  const rowBytes = jsonBytes(names) + names.length + 1;
  const readers = Object.values(sides) as ((event: JoinEvent<S>) => unknown)[];

  const resultOf = (values: readonly (readonly Json[])[]): readonly Joined<S>[] | Joined<S> => {
    const rows = combinations(names, values) as Joined<S>[];
    return insert === "product" ? rows : at(rows, 0);
  };
  const result = ({ sides }: JoinState): readonly Joined<S>[] | Joined<S> =>
    resultOf(sides.map(({ list }) => list.items));

  /** Whether the result has room for a side with `count` values of this size. */
  const hasRoom = (state: JoinState, changed: number, count: number, bytes: number): boolean => {
    const sizes = state.sides.map((side, index) => {
      if (index === changed) return { count, bytes };
      const held = side.list.items.length;
      // A side without values is one null.
      return held === 0 ? { count: 1, bytes: 4 } : { count: held, bytes: side.bytes };
    });
    const rows = sizes.reduce((product, { count }) => product * count, 1);
    const total = sizes.reduce((sum, { count, bytes }) => sum + (bytes * rows) / count, 0);
    return rows <= bounds.max && total + rows * rowBytes <= bounds.maxBytes;
  };
  const place = (state: JoinState, index: number, { value, bytes }: Sized, room = state.room): void => {
    const side = at(state.sides, index);
    const { items } = side.list;
    if (insert === "first" && items.length > 0) return;
    const kept = insert === "product" ? items.length : 0;
    const total = insert === "product" ? side.bytes + bytes : bytes;
    const more = kept === items.length ? roomFor(1, bytes) : bytes - side.bytes;
    if (bytes > MAX_ELEMENT_BYTES || !hasRoom(state, index, kept + 1, total) || !room.take(more)) {
      state.overflow++;
      return;
    }
    items[kept] = value;
    side.bytes = total;
  };

  const sized = (value: unknown): Sized => {
    const bytes = requireJsonBytes("join", value);
    // A value without a size would have been refused.
    return { value: value as Json, bytes };
  };
  const read = (event: JoinEvent<S>): readonly (Sized | undefined)[] =>
    readers.map((readSide) => {
      const value = readSide(event);
      return value === undefined ? undefined : sized(value);
    });
  const take = (state: JoinState, values: readonly (Sized | undefined)[]): JoinState => {
    values.forEach((value, index) => {
      if (value !== undefined) place(state, index, value);
    });
    return state;
  };

  type Result = readonly Joined<S>[] | Joined<S>;
  const fold: Fold<JoinEvent<S>, JoinState, Result> = {
    kind: `join(${names.join(",")}) insert=${insert} emit=${emit} ${boundsText(bounds)}`,
    create: (room = ENDLESS_ROOM) => ({
      sides: names.map(() => ({ list: new GrowingList(), bytes: 0 })),
      overflow: 0,
      room,
    }),
    add: (state, event) => take(state, read(event)),
    split: { read, take },
    merge(earlier, later) {
      const room = asHeld(earlier.room);
      later.sides.forEach(({ list }, index) => {
        for (const value of list.items) place(earlier, index, sized(value), room);
      });
      earlier.overflow += later.overflow;
      return earlier;
    },
    result,
    overflow: ({ overflow }) => overflow,
    growth,
    ...(insert === "product" ? keptInParts(resultOf) : keptWhole),
  };
  if (emit === "final") return fold;
  if (emit === "running") return { ...fold, match: result };
  return {
    ...fold,
    match(state) {
      if (state.sides.some(({ list }) => list.items.length === 0)) return undefined;
      const row = result(state);
      growth.release(state);
      for (const side of state.sides) {
        side.list.clear();
        side.bytes = 0;
      }
      return row;
    },
  };
}

const growth = growthBy<JoinState>(({ sides }) =>
  sides.reduce((sum, { list, bytes }) => sum + roomFor(list.items.length, bytes), 0),
);

type Keeping<R> = Pick<Fold<never, JoinState, R>, "snapshot" | "restore"> & {
  readonly parts?: FoldParts<JoinState, R>;
};

/** One value per side: its bounds are those of the state. */
const keptWhole: Keeping<never> = {
  snapshot: ({ sides, overflow }) => [overflow, ...sides.map(({ list }) => [...list.items])],
  restore(state, room = ENDLESS_ROOM) {
    const [overflow, ...sides] = listFrom(state);
    return {
      sides: sides.map((values) => {
        const list = new GrowingList<Json>();
        list.items.push(...listFrom(values));
        return { list, bytes: list.items.length === 0 ? 0 : jsonBytes(list.items[0]) };
      }),
      overflow: numberFrom(overflow),
      room,
    };
  },
};

/** All values: each side is a list that grows. */
function keptInParts<R>(resultOf: (values: readonly (readonly Json[])[]) => R): Keeping<R> {
  return {
    snapshot: ({ sides, overflow }) => [
      overflow,
      ...sides.map(({ list, bytes }) => [list.items.length, bytes]),
    ],
    restore(state, room = ENDLESS_ROOM) {
      const [overflow, ...sides] = listFrom(state);
      return {
        sides: sides.map((side) => {
          const [length, bytes] = listFrom(side).map(numberFrom);
          return { list: new GrowingList(length), bytes: numberFrom(bytes) };
        }),
        overflow: numberFrom(overflow),
        room,
      };
    },
    parts: {
      changes({ sides }): PartChanges {
        const changes = sides.map(({ list }, side) => withPrefix(list.changes(identity), `${String(side)}.`));
        return {
          put: changes.flatMap(({ put }) => put),
          delete: changes.flatMap(({ delete: gone }) => gone),
        };
      },
      restore({ sides }, parts) {
        const ofSides = sides.map((): FoldPart[] => []);
        for (const [id, value] of parts) {
          const dot = id.indexOf(".");
          const side = ofSides[Number(id.slice(0, dot))] ?? damaged("a side of the join", id);
          side.push([id.slice(dot + 1), value]);
        }
        sides.forEach(({ list }, side) => {
          list.restore(at(ofSides, side), identity);
        });
      },
      mark: ({ sides }) => sides.map(({ list }) => list.items.length),
      resultAt({ sides }, mark) {
        const lengths = listFrom(mark).map(numberFrom);
        return resultOf(sides.map(({ list }, side) => list.items.slice(0, lengths[side])));
      },
    },
  };
}

function identity(json: Json): Json {
  return json;
}

function withPrefix({ put, delete: gone }: PartChanges, prefix: string): PartChanges {
  return {
    put: put.map(([id, value]) => [`${prefix}${id}`, value]),
    delete: gone.map((id) => `${prefix}${id}`),
  };
}

/** Every combination of one value per side, the last side changing fastest; null for a side without values. */
function combinations(
  names: readonly string[],
  sides: readonly (readonly Json[])[],
): Readonly<Record<string, Json>>[] {
  let rows: [string, Json][][] = [[]];
  names.forEach((name, side) => {
    const values = at(sides, side);
    const choices = values.length === 0 ? [null] : values;
    rows = rows.flatMap((row) => choices.map((value): [string, Json][] => [...row, [name, value]]));
  });
  return rows.map((row) => Object.fromEntries(row));
}
