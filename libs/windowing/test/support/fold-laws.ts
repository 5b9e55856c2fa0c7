import { expect, test } from "@jest/globals";

import type { Fold, Json } from "../../src/index.ts";

/** What every fold must keep to; run it over your own with a few of its events. */
export function foldLaws<V, A, R>(makeFold: () => Fold<V, A, R>, values: readonly V[]): void {
  const half = Math.floor(values.length / 2);
  const foldAll = (fold: Fold<V, A, R>, from: number, until: number): A => {
    let accumulator = fold.create();
    for (let i = from; i < until; i++) accumulator = fold.add(accumulator, values[i] as V, i);
    return accumulator;
  };

  test("merging two halves is folding the whole", () => {
    const fold = makeFold();
    const merged = fold.merge(foldAll(fold, 0, half), foldAll(fold, half, values.length));
    expect(fold.result(merged)).toEqual(fold.result(foldAll(fold, 0, values.length)));
  });

  test("a snapshot is JSON, and going on from it is going on", () => {
    const fold = makeFold();
    const text = JSON.stringify(fold.snapshot(foldAll(fold, 0, half)));
    let restored = fold.restore(JSON.parse(text) as Json);
    for (let i = half; i < values.length; i++) restored = fold.add(restored, values[i] as V, i);
    expect(fold.result(restored)).toEqual(fold.result(foldAll(fold, 0, values.length)));
  });

  test("neither a result nor a snapshot changes with the accumulator", () => {
    const fold = makeFold();
    let accumulator = foldAll(fold, 0, half);
    const [result, snapshot] = [fold.result(accumulator), fold.snapshot(accumulator)];
    const before = JSON.stringify([result, snapshot]);
    for (let i = half; i < values.length; i++) accumulator = fold.add(accumulator, values[i] as V, i);
    accumulator = fold.merge(accumulator, foldAll(fold, 0, half));
    expect(JSON.stringify([result, snapshot])).toBe(before);
    expect(JSON.stringify(fold.result(accumulator))).toBeDefined();
  });
}
