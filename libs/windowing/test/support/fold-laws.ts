import { expect, test } from "@jest/globals";

import type { Fold, Json } from "../../src/index.ts";

/** What a store has of an accumulator: it is given changes, and everything it gives back went through text. */
class KeptAccumulator<V, A, R> {
  readonly #fold: Fold<V, A, R>;
  readonly #parts = new Map<string, string>();
  #state = "";

  constructor(fold: Fold<V, A, R>) {
    this.#fold = fold;
  }

  get parts(): readonly string[] {
    return [...this.#parts.values()];
  }

  /** Takes over what changed since the last time; gives the bytes of it. */
  keep(accumulator: A): number {
    this.#state = JSON.stringify(this.#fold.snapshot(accumulator));
    const { put, delete: gone } = this.#fold.parts?.changes(accumulator) ?? { put: [], delete: [] };
    for (const [id, value] of put) this.#parts.set(id, JSON.stringify(value));
    for (const id of gone) this.#parts.delete(id);
    return put.reduce((bytes, [id, value]) => bytes + id.length + JSON.stringify(value).length, 0);
  }

  restore(): A {
    const accumulator = this.#fold.restore(JSON.parse(this.#state) as Json);
    // A store returns the parts in any order.
    const parts = Array.from(this.#parts, ([id, text]) => [id, JSON.parse(text) as Json] as const).reverse();
    this.#fold.parts?.restore(accumulator, parts);
    return accumulator;
  }
}

export function keeping<V, A, R>(fold: Fold<V, A, R>): KeptAccumulator<V, A, R> {
  return new KeptAccumulator(fold);
}

/** The accumulator of values from one index to below another. */
export function foldAll<V, A, R>(
  fold: Fold<V, A, R>,
  values: readonly V[],
  from = 0,
  until: number = values.length,
  start: A = fold.create(),
): A {
  let accumulator = start;
  for (let i = from; i < until; i++) accumulator = fold.add(accumulator, values[i] as V, i);
  return accumulator;
}

/** What every fold must keep to; run it over your own with a few of its events. */
export function foldLaws<V, A, R>(makeFold: () => Fold<V, A, R>, values: readonly V[]): void {
  const half = Math.floor(values.length / 2);

  test("merging two halves equals folding the whole, and an empty accumulator adds nothing", () => {
    const fold = makeFold();
    const merged = fold.merge(foldAll(fold, values, 0, half), foldAll(fold, values, half));
    const whole = fold.result(foldAll(fold, values));
    expect(fold.result(merged)).toEqual(whole);
    expect(fold.result(fold.merge(fold.create(), foldAll(fold, values)))).toEqual(whole);
  });

  test("stored state is JSON, and continuing from it changes no result, at any point", () => {
    const fold = makeFold();
    const expected = fold.result(foldAll(fold, values));
    for (let every = 1; every <= values.length; every++) {
      const kept = keeping(fold);
      let accumulator = fold.create();
      for (let from = 0; from < values.length; from += every) {
        accumulator = foldAll(fold, values, from, Math.min(from + every, values.length), accumulator);
        kept.keep(accumulator);
        if (from % 2 === 0) accumulator = kept.restore();
      }
      expect(fold.result(kept.restore())).toEqual(expected);
    }
  });

  test("a later change of the accumulator changes neither a result nor stored state", () => {
    const fold = makeFold();
    let accumulator = foldAll(fold, values, 0, half);
    const rows = [
      fold.result(accumulator),
      fold.snapshot(accumulator),
      fold.parts?.changes(accumulator).put ?? [],
    ];
    const before = JSON.stringify(rows);
    accumulator = foldAll(fold, values, half, values.length, accumulator);
    accumulator = fold.merge(accumulator, foldAll(fold, values, 0, half));
    expect(JSON.stringify(rows)).toBe(before);
    expect(JSON.stringify(fold.result(accumulator))).toBeDefined();
  });

  test("a mark finds the result again, also from stored state", () => {
    const fold = makeFold();
    if (fold.parts === undefined) return;
    for (let at = 1; at <= values.length; at++) {
      const kept = keeping(fold);
      let accumulator = foldAll(fold, values, 0, at);
      const expected = fold.result(accumulator);
      kept.keep(accumulator);
      const mark = fold.parts.mark(accumulator);
      accumulator = foldAll(fold, values, at, values.length, accumulator);
      accumulator = fold.merge(accumulator, foldAll(fold, values));
      expect(fold.parts.resultAt(accumulator, mark)).toEqual(expected);
      kept.keep(accumulator);
      expect(fold.parts.resultAt(kept.restore(), mark)).toEqual(expected);
    }
  });
}
