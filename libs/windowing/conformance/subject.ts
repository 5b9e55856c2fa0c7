import {
  collectList,
  collectMap,
  collectSet,
  count,
  eventTime,
  foldOf,
  join,
  mapCodec,
  reduce,
  session,
  sliding,
  sum,
  systemTime,
  tumbling,
  type BuiltInWindower,
  type Clock,
  type Fold,
  type Json,
} from "../src/index.ts";
import { MalformedVectorsError, type Fields } from "./fields.ts";

/** An event of a vector. */
export interface Item {
  readonly ts: number;
  readonly value: Json;
  readonly side: number;
}

/** A fold whose accumulator is its own business. */
export type AnyFold = Fold<Item, unknown, unknown>;

export function windowerOf(spec: Fields): BuiltInWindower {
  const alignToMs = spec.optionalNumber("align_to_ms") ?? 0;
  switch (spec.text("type")) {
    case "tumbling":
      return tumbling(spec.number("length_ms"), { alignTo: alignToMs });
    case "sliding":
      return sliding(spec.number("length_ms"), { every: spec.number("offset_ms"), alignTo: alignToMs });
    case "session":
      return session(spec.number("gap_ms"));
    default:
      throw new MalformedVectorsError(`Unknown windower type ${spec.text("type")}.`);
  }
}

export function clockOf(spec: Fields): Clock<Item> {
  if (spec.oneOf("type", "event", "system") === "system") return systemTime();
  const wait = spec.any("wait_ms");
  const waitMs = wait === "max" || wait === "unbounded" ? "unbounded" : spec.number("wait_ms");
  return eventTime(({ ts }) => ts, { wait: waitMs, maxFuture: "unbounded" });
}

/** The fold of a vector's `op`, and whether it is ordered unless the vector says otherwise (time model `perKey`). */
export function foldFor(vector: Fields): { readonly fold: AnyFold; readonly ordered: boolean } {
  const op = vector.text("op");
  const params = vector.has("params") ? vector.object("params") : undefined;
  switch (op) {
    case "collect":
      return { fold: collectFold(params?.oneOf("into", "list", "set", "dict") ?? "list"), ordered: true };
    case "fold_list":
      return { fold: listFold, ordered: true };
    case "fold_sum":
      return { fold: sum(numberOf), ordered: true };
    case "fold_counts":
      return { fold: countsFold, ordered: true };
    case "join":
      return { fold: joinFold(params), ordered: true };
    case "count":
      return { fold: count(), ordered: false };
    case "reduce_sum":
      return { fold: reduce(numberOf, (a, b) => a + b), ordered: false };
    case "max":
      return { fold: reduce(numberOf, (a, b) => (b > a ? b : a)), ordered: false };
    case "min":
      return { fold: reduce(numberOf, (a, b) => (b < a ? b : a)), ordered: false };
    default:
      throw new MalformedVectorsError(`Unknown op ${op}.`);
  }
}

const listFold = foldOf({
  create: (): Json[] => [],
  add: (list, { value }: Item) => [...list, value],
  merge: (earlier, later) => [...earlier, ...later],
});

const countsFold = foldOf(
  {
    create: () => new Map<string, number>(),
    add(counts, { value }: Item) {
      const name = typeof value === "string" ? value : JSON.stringify(value);
      return counts.set(name, (counts.get(name) ?? 0) + 1);
    },
    merge(earlier, later) {
      for (const [name, total] of later) earlier.set(name, (earlier.get(name) ?? 0) + total);
      return earlier;
    },
    result: (counts) => Object.fromEntries(counts),
  },
  { codec: mapCodec<number>() },
);

function collectFold(into: "list" | "set" | "dict"): AnyFold {
  if (into === "list") return collectList(({ value }: Item) => value);
  if (into === "dict") return collectMap(({ value }: Item) => value as readonly [string, Json]);
  // A set of the vectors is written in order of its values.
  const set = collectSet(({ value }: Item) => value as string | number);
  const sorted: typeof set = { ...set, result: (state) => [...set.result(state)].sort(byValue) };
  return sorted;
}

function joinFold(params: Fields | undefined): AnyFold {
  const names = Array.from({ length: params?.number("sides") ?? 2 }, (_, side) => String(side));
  const sides = Object.fromEntries(
    names.map((name, side) => [name, (item: Item): unknown => (item.side === side ? item.value : undefined)]),
  );
  const insert = params?.oneOf("insert_mode", "last", "first", "product") ?? "last";
  const emit = params?.oneOf("emit_mode", "final", "complete", "running") ?? "final";
  if (insert === "product") return join({ sides, emit, insert });
  return join({ sides, emit, insert });
}

/** What a row of a vector is made of: a join's row is the list of its sides' values, and a product has many. */
export function rowsOf(vector: Fields, value: unknown): readonly unknown[] {
  if (vector.text("op") !== "join") return [value];
  const rows = Array.isArray(value) ? (value as readonly object[]) : [value as object];
  return rows.map((row) => Object.values(row) as unknown[]);
}

function numberOf({ value }: Item): number {
  return value as number;
}

function byValue(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
