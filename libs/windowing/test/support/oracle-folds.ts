import {
  aggregate,
  collectList,
  collectMap,
  collectSet,
  count,
  distinct,
  join,
  quantile,
  sum,
  topK,
  type ClosingFold,
} from "../../src/index.ts";
import type { OracleEvent, OracleFold } from "../oracle/stream-oracle.ts";

/** A fold of the library, and the same over all values at once. */
export interface FoldPair {
  readonly name: string;
  readonly fold: ClosingFold<OracleEvent, unknown, unknown>;
  readonly oracle: OracleFold;
}

const unbounded = { overflow: (): number => 0 };
const nameOf = (value: number): string => ["a", "__proto__", "constructor"][value % 3] ?? "";
const even = (value: number): number | undefined => (value % 2 === 0 ? value : undefined);
const odd = (value: number): number | undefined => (value % 2 === 0 ? undefined : value);

const mapOf = (values: readonly number[]): unknown =>
  Object.fromEntries(values.map((value) => [nameOf(value), value]));

function productOf(values: readonly number[]): unknown {
  const side = (choose: (value: number) => number | undefined): readonly (number | null)[] => {
    const chosen = values.filter((value) => choose(value) !== undefined);
    return chosen.length === 0 ? [null] : chosen;
  };
  return side(even).flatMap((left) => side(odd).map((right) => ({ left, right })));
}

function topOf(values: readonly number[]): unknown {
  const times = (name: number): number => values.filter((value) => value === name).length;
  return [...new Set(values)]
    .sort((a, b) => times(b) - times(a) || a - b)
    .slice(0, 2)
    .map((value) => ({ value, count: times(value), error: 0 }));
}

const product = join({
  sides: { left: ({ value }: OracleEvent) => even(value), right: ({ value }: OracleEvent) => odd(value) },
  insert: "product",
});

export const foldPairs: readonly FoldPair[] = [
  {
    name: "collectList",
    fold: collectList(({ value }: OracleEvent) => value),
    oracle: { ...unbounded, result: (values) => values },
  },
  {
    name: "collectList with a bound",
    fold: collectList(({ value }: OracleEvent) => value, { max: 3 }),
    oracle: {
      result: (values) => values.slice(0, 3),
      overflow: (values) => Math.max(0, values.length - 3),
    },
  },
  {
    name: "collectSet",
    fold: collectSet(({ value }: OracleEvent) => value % 5),
    oracle: { ...unbounded, result: (values) => [...new Set(values.map((value) => value % 5))] },
  },
  {
    name: "distinct, of some events",
    fold: distinct(({ value }: OracleEvent) => even(value)),
    oracle: { ...unbounded, result: (values) => values.filter((value) => value % 2 === 0).length },
  },
  {
    name: "collectMap",
    fold: collectMap(({ value }: OracleEvent) => [nameOf(value), value] as const),
    oracle: { ...unbounded, result: mapOf },
  },
  { name: "join", fold: product, oracle: { ...unbounded, result: productOf } },
  {
    name: "aggregate",
    fold: aggregate({
      events: count(),
      total: sum(({ value }: OracleEvent) => value),
      list: collectList(({ value }: OracleEvent) => value, { max: 4 }),
      map: collectMap(({ value }: OracleEvent) => [nameOf(value), value] as const),
    }),
    oracle: {
      result: (values) => ({
        events: values.length,
        total: values.reduce((total, value) => total + value, 0),
        list: values.slice(0, 4),
        map: mapOf(values),
      }),
      overflow: (values) => Math.max(0, values.length - 4),
    },
  },
  {
    name: "sketches",
    fold: aggregate({
      extremes: quantile(({ value }: OracleEvent) => value - 3, [0, 1]),
      top: topK(({ value }: OracleEvent) => value % 3, 2),
    }),
    oracle: {
      ...unbounded,
      result: (values) => ({
        extremes: [Math.min(...values) - 3, Math.max(...values) - 3],
        top: topOf(values.map((value) => value % 3)),
      }),
    },
  },
];
