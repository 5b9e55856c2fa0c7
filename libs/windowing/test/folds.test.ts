import { describe, expect, test } from "@jest/globals";

import {
  collectList,
  collectMap,
  collectSet,
  count,
  distinct,
  foldOf,
  join,
  mapCodec,
  max,
  mean,
  min,
  reduce,
  sum,
  WindowStateError,
  type Fold,
} from "../src/index.ts";
import { orderedFold } from "../src/ordered-fold.ts";
import { jsonCodec } from "../src/codecs.ts";
import { foldLaws, keeping } from "./support/fold-laws.ts";

function resultOf<V, A, R>(fold: Fold<V, A, R>, values: readonly V[]): R {
  let accumulator = fold.create();
  values.forEach((value, index) => {
    accumulator = fold.add(accumulator, value, index);
  });
  return fold.result(accumulator);
}

const numbers = [3, 1, 4, 1, 5, 9];
const same = (value: number): number => value;

describe("count", () => {
  foldLaws(count, numbers);
  test("counts", () => {
    expect(resultOf(count(), numbers)).toBe(6);
  });
});

describe("sum", () => {
  foldLaws(() => sum(same), numbers);
  test("adds", () => {
    expect(resultOf(sum(same), numbers)).toBe(23);
  });
});

describe("min and max", () => {
  foldLaws(() => min(same), numbers);
  foldLaws(() => max(same), numbers);
  test("give the extremes, negative ones too", () => {
    expect([resultOf(min(same), numbers), resultOf(max(same), numbers)]).toEqual([1, 9]);
    expect(resultOf(max(same), [-3, -2])).toBe(-2);
  });
});

describe("mean", () => {
  foldLaws(() => mean(same), numbers);
  test("is the arithmetic one", () => {
    expect(resultOf(mean(same), [1, 2, 6])).toBe(3);
  });
});

describe("reduce", () => {
  const longest = (a: { text: string }, b: { text: string }): { text: string } =>
    b.text.length > a.text.length ? b : a;
  const texts = ["a", "ccc", "bb", "dddd"].map((text) => ({ text }));
  foldLaws(() => reduce((value: { text: string }) => value, longest), texts);
  test("the first value stands by itself", () => {
    const combined = reduce(same, (a, b) => a * 10 + b);
    expect(resultOf(combined, [7])).toBe(7);
    expect(resultOf(combined, [1, 2, 3])).toBe(123);
  });
  test("falsy values are values", () => {
    expect(
      resultOf(
        reduce(same, (a, b) => a - b),
        [0, 1],
      ),
    ).toBe(-1);
  });
});

describe("foldOf", () => {
  foldLaws(
    () =>
      foldOf(
        {
          create: () => new Map<string, number>(),
          add: (tally, word: string) => tally.set(word, (tally.get(word) ?? 0) + 1),
          merge(earlier, later) {
            for (const [word, times] of later) earlier.set(word, (earlier.get(word) ?? 0) + times);
            return earlier;
          },
          result: (tally) => Object.fromEntries(tally),
        },
        { codec: mapCodec<number>() },
      ),
    ["x", "constructor", "x", "__proto__", "constructor"],
  );

  const list = foldOf({
    create: (): number[][] => [],
    add(lists, value: number) {
      lists.push([value]);
      return lists;
    },
    merge: (earlier, later) => [...earlier, ...later],
  });
  foldLaws(() => list, numbers);

  test("copies nothing for a row, unless the accumulator changes after it", () => {
    const first = list.add(list.create(), 1, 0);
    const row = list.result(first);
    expect(list.result(first)).toBe(row);
    list.add(first, 2, 0);
    expect(row).toEqual([[1]]);
    expect(list.result(first)).toEqual([[1], [2]]);
  });

  test("goes on with the same accumulator after an event that it refused", () => {
    const picky = foldOf({
      create: (): string[] => [],
      add(texts, text: string) {
        if (text === "") throw new Error("no text");
        texts.push(text);
        return texts;
      },
      merge: (earlier, later) => [...earlier, ...later],
    });
    const texts = picky.add(picky.create(), "a", 0);
    const row = picky.result(texts);
    expect(() => picky.add(texts, "", 0)).toThrow("no text");
    picky.add(texts, "b", 0);
    expect([row, picky.result(texts)]).toEqual([["a"], ["a", "b"]]);
  });
});

describe("collect", () => {
  foldLaws(() => collectList(same), numbers);
  foldLaws(() => collectSet(same), numbers);
  foldLaws(() => collectMap((value: number) => [String(value % 3), value]), numbers);
  foldLaws(() => distinct(same), numbers);

  test("a list has all values, a set each once, both as they came", () => {
    expect(resultOf(collectList(same), numbers)).toEqual([3, 1, 4, 1, 5, 9]);
    expect(resultOf(collectSet(same), numbers)).toEqual([3, 1, 4, 5, 9]);
    expect(resultOf(distinct(same), numbers)).toBe(5);
  });

  test("of a map's equal names the last one stays, and any name will do", () => {
    const map = collectMap((entry: readonly [string, number]) => entry);
    const result = resultOf(map, [
      ["a", 1],
      ["__proto__", 2],
      ["a", 3],
    ]);
    expect(Object.entries(result)).toEqual([
      ["a", 3],
      ["__proto__", 2],
    ]);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  });
});

describe("join", () => {
  interface Click {
    readonly click?: string;
    readonly view?: number;
  }
  const sides = { click: (event: Click) => event.click, view: (event: Click) => event.view };
  const events = [{ click: "a" }, { view: 1 }, { click: "b" }, { view: 2 }];
  foldLaws(() => join({ sides, insert: "first" }), events);
  foldLaws(() => join({ sides, insert: "last" }), events);
  foldLaws(() => join({ sides, insert: "product" }), events);

  test("keeps the first, the last or all events of a side", () => {
    expect(resultOf(join({ sides, insert: "first" }), events)).toEqual({ click: "a", view: 1 });
    expect(resultOf(join({ sides }), events)).toEqual({ click: "b", view: 2 });
    expect(resultOf(join({ sides, insert: "product" }), events)).toEqual([
      { click: "a", view: 1 },
      { click: "a", view: 2 },
      { click: "b", view: 1 },
      { click: "b", view: 2 },
    ]);
  });

  test("a side without events is null, in a product too", () => {
    expect(resultOf(join({ sides }), [{ click: "a" }])).toEqual({ click: "a", view: null });
    expect(resultOf(join({ sides, insert: "product" }), [{ view: 1 }, { view: 2 }])).toEqual([
      { click: null, view: 1 },
      { click: null, view: 2 },
    ]);
  });

  test("complete: a match takes the events with it", () => {
    const fold = join({ sides, emit: "complete" });
    const matches = events.map((event, index) => ({ event, index }));
    let state = fold.create();
    const rows = matches.map(({ event, index }) => {
      state = fold.add(state, event, index);
      return fold.match?.(state);
    });
    expect(rows).toEqual([undefined, { click: "a", view: 1 }, undefined, { click: "b", view: 2 }]);
  });

  test("values keep their types, with nothing said", () => {
    const row = resultOf(join({ sides }), events);
    const click: string | null = row.click;
    const view: number | null = row.view;
    expect([click, view]).toEqual(["b", 2]);
  });
});

describe("orderedFold", () => {
  foldLaws(() => orderedFold(collectList(same), jsonCodec<number>(), 100), numbers);

  test("folds by timestamp, equal ones as they came", () => {
    const fold = orderedFold(
      collectList((text: string) => text),
      jsonCodec<string>(),
      100,
    );
    let state = fold.create();
    for (const [text, ts] of [
      ["c", 5],
      ["a", 1],
      ["d", 5],
      ["b", 1],
    ] as const)
      state = fold.add(state, text, ts);
    expect(fold.result(state)).toEqual(["a", "b", "c", "d"]);
  });

  test("keeps events that are no JSON through a codec", () => {
    const codec = {
      snapshot: (date: Date) => date.getTime(),
      restore: (json: unknown) => new Date(json as number),
    };
    const fold = orderedFold(
      collectList((date: Date) => date.getFullYear()),
      codec,
      100,
    );
    const kept = keeping(fold);
    kept.keep(fold.add(fold.create(), new Date("2024-06-01"), 1));
    expect(fold.result(kept.restore())).toEqual([2024]);
  });
});

describe("a damaged snapshot", () => {
  test.each([
    ["count", (): unknown => count().restore("x")],
    ["mean", (): unknown => mean(same).restore([1])],
    ["collectList", (): unknown => collectList(same).restore({})],
    ["collectMap", (): unknown => collectMap((v: number) => ["x", v]).restore([[1, 2]])],
  ])("of %s is refused", (_, restore) => {
    expect(restore).toThrow(WindowStateError);
  });
});
