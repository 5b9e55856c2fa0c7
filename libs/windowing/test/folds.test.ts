import { describe, expect, test } from "@jest/globals";

import fc from "fast-check";

import {
  aggregate,
  collectList,
  collectMap,
  collectSet,
  count,
  distinct,
  foldOf,
  FoldValueError,
  join,
  jsonCodec,
  mapCodec,
  max,
  mean,
  min,
  reduce,
  sum,
  WindowOptionsError,
  WindowStateError,
  type ClosingFold,
  type Fold,
  type Json,
  type JsonCodec,
} from "../src/index.ts";
import { jsonBytes } from "../src/json.ts";
import { orderedFold } from "../src/ordered-fold.ts";
import { foldAll, foldLaws, keeping } from "./support/fold-laws.ts";

/** Like the unit "binary" of fast-check, whose table of all characters takes a second to make. */
const anyCharacter = fc.nat(0x10ffff).map((code) => Buffer.from(String.fromCodePoint(code)).toString());

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
  test("the first value is its own result", () => {
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

  test("continues with the same accumulator after an event that it refused", () => {
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

  test("a list has all values, a set each value once, both in order of arrival", () => {
    expect(resultOf(collectList(same), numbers)).toEqual([3, 1, 4, 1, 5, 9]);
    expect(resultOf(collectSet(same), numbers)).toEqual([3, 1, 4, 5, 9]);
    expect(resultOf(distinct(same), numbers)).toBe(5);
  });

  test("a map keeps the last value of a name, and accepts any name", () => {
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

  test("complete: a match removes its events", () => {
    const fold = join({ sides, emit: "complete" });
    const matches = events.map((event, index) => ({ event, index }));
    let state = fold.create();
    const rows = matches.map(({ event, index }) => {
      state = fold.add(state, event, index);
      return fold.match?.(state);
    });
    expect(rows).toEqual([undefined, { click: "a", view: 1 }, undefined, { click: "b", view: 2 }]);
  });

  test("values keep their types without annotations", () => {
    const row = resultOf(join({ sides }), events);
    const click: string | null = row.click;
    const view: number | null = row.view;
    expect([click, view]).toEqual(["b", 2]);
  });
});

describe("orderedFold", () => {
  foldLaws(() => orderedFold(collectList(same), jsonCodec<number>(), 100), numbers);

  test("folds by timestamp, equal ones in order of arrival", () => {
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

  test("keeps events that are not JSON with a codec", () => {
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

describe("numbers that are not finite", () => {
  // As if a number is missing, which the types do not allow.
  const read = (event: { readonly n?: number }): number => (event as { readonly n: number }).n;
  test.each([
    ["sum", sum(read)],
    ["mean", mean(read)],
    ["min", min(read)],
    ["max", max(read)],
    ["reduce", reduce(read, (a, b) => a + b)],
    ["collectList", collectList(read)],
    ["collectSet", collectSet(read)],
    ["distinct", distinct(read)],
    ["collectMap", collectMap((value: { readonly n?: number }) => ["n", read(value)] as const)],
    ["aggregate", aggregate({ events: count(), sum: sum(read) })],
  ] as const)(
    "are refused by %s, which stays as it was",
    (name, fold: ClosingFold<{ n?: number }, unknown, unknown>) => {
      const accumulator = fold.add(fold.create(), { n: 1 }, 0);
      const before = JSON.stringify(fold.result(accumulator));
      for (const n of [Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => fold.add(accumulator, { n }, 0)).toThrow(FoldValueError);
        expect(() => fold.add(accumulator, { n }, 0)).toThrow(name === "aggregate" ? "sum takes" : name);
      }
      expect(JSON.stringify(fold.result(accumulator))).toBe(before);
    },
  );

  test.each([
    ["sum", sum(read)],
    ["mean", mean(read)],
    ["min", min(read)],
    ["max", max(read)],
  ] as const)("are not taken for zero: a missing one is refused by %s", (_, fold) => {
    expect(() => (fold as ClosingFold<object, unknown, unknown>).add(fold.create(), {}, 0)).toThrow(
      "got undefined",
    );
  });

  test("a sum above the largest number stays there, and can be stored", () => {
    const largest = Number.MAX_VALUE;
    expect(resultOf(sum(same), [largest, largest])).toBe(largest);
    expect(resultOf(sum(same), [-largest, -largest, 1])).toBe(-largest);
    expect(resultOf(mean(same), [largest, largest])).toBe(largest / 2);
    expect(sum(same).merge(largest, largest)).toBe(largest);
  });
});

describe("bounds", () => {
  interface Word {
    readonly word: string;
  }
  const wordOf = ({ word }: Word): string => word;
  const words = (...list: readonly string[]): readonly Word[] => list.map((word) => ({ word }));

  function folded<A, R>(fold: ClosingFold<Word, A, R>, values: readonly Word[]): readonly [R, number?] {
    const accumulator = foldAll(fold, values);
    const kept = keeping(fold);
    kept.keep(accumulator);
    expect(fold.overflow?.(kept.restore())).toBe(fold.overflow?.(accumulator));
    return [fold.result(accumulator), fold.overflow?.(accumulator) ?? 0];
  }

  test("new elements above the limit are left out and counted; kept ones still count", () => {
    const values = words("a", "b", "a", "c", "b", "c");
    expect(folded(collectList(wordOf, { max: 4 }), values)).toEqual([["a", "b", "a", "c"], 2]);
    expect(folded(collectSet(wordOf, { max: 2 }), values)).toEqual([["a", "b"], 2]);
    expect(folded(distinct(wordOf, { max: 2 }), values)).toEqual([2, 2]);
    const lengths = collectMap(({ word }: Word) => [word, word.length] as const, { max: 2 });
    expect(folded(lengths, values)).toEqual([{ a: 1, b: 1 }, 2]);
  });

  test("merging counts overflow too", () => {
    const fold = distinct(wordOf, { max: 2 });
    const merged = fold.merge(foldAll(fold, words("a", "b", "c")), foldAll(fold, words("b", "c", "d")));
    // "c" of the first, "d" of the second, and "c" of the second when they merged.
    expect([fold.result(merged), fold.overflow?.(merged)]).toEqual([2, 3]);
  });

  test("a result stays within its limit of bytes", () => {
    const long = "x".repeat(998);
    for (const fold of [collectList(wordOf, { maxBytes: 3_500 }), collectSet(wordOf, { maxBytes: 3_500 })]) {
      const values = words(...["1", "2", "3", "4"].map((end) => long + end));
      const [result, overflow] = folded(fold as Fold<Word, unknown, readonly string[]>, values);
      expect([result.length, overflow]).toEqual([3, 1]);
      expect(JSON.stringify(result).length).toBeLessThan(3_500);
    }
  });

  test("a value in a map is not replaced by one that does not fit", () => {
    const fold = collectMap(({ word }: Word) => ["last", word] as const, { maxBytes: 20 });
    expect(folded(fold, words("a", "much too long for it", "b"))).toEqual([{ last: "b" }, 1]);
    expect(folded(fold, words("a", "much too long for it"))).toEqual([{ last: "a" }, 1]);
  });

  test("an element that is too large for a store is left out, with any limits", () => {
    const huge = "x".repeat(2 ** 20);
    const most = { max: 1_000, maxBytes: 2 ** 30 };
    const values = words("a", huge);
    expect(folded(distinct(wordOf), values)).toEqual([1, 1]);
    expect(folded(collectSet(wordOf, most), values)).toEqual([["a"], 1]);
    expect(folded(collectList(wordOf, most), values)).toEqual([["a"], 1]);
    expect(
      folded(
        collectMap(({ word }: Word) => [word, 1] as const, most),
        values,
      ),
    ).toEqual([{ a: 1 }, 1]);
    expect(folded(orderedFold(collectList(wordOf, most), jsonCodec<Word>(), 10), values)).toEqual([["a"], 1]);
    const sides = { word: wordOf };
    expect(folded(join({ sides, insert: "last" }), values)).toEqual([{ word: "a" }, 1]);
    expect(folded(join({ sides, insert: "product" }), values)).toEqual([[{ word: "a" }], 1]);
  });

  test("no part of a large state is large", () => {
    const fold = collectList(wordOf, { maxBytes: 2 ** 30 });
    const values = Array.from({ length: 20_000 }, (_, index) => ({ word: `word number ${String(index)}` }));
    const kept = keeping(fold);
    const accumulator = foldAll(fold, values);
    kept.keep(accumulator);
    expect(Math.max(...kept.parts.map((part) => part.length))).toBeLessThan(64 * 1_024);
    expect(fold.result(kept.restore())).toHaveLength(20_000);
    foldAll(fold, words("one more"), 0, 1, accumulator);
    expect(kept.keep(accumulator)).toBeLessThan(20);
  });

  test("an ordered window keeps a limited number of events, and counts its fold's overflow too", () => {
    const fold = orderedFold(collectList(wordOf, { max: 2 }), jsonCodec<Word>(), 3);
    expect(folded(fold, words("a", "b", "c", "d"))).toEqual([["a", "b"], 2]);
  });

  test("a join limits its combinations, not its events", () => {
    interface Pair {
      readonly left?: number;
      readonly right?: number;
    }
    const fold = join({
      sides: { left: ({ left }: Pair) => left, right: ({ right }: Pair) => right },
      insert: "product",
      max: 6,
    });
    const accumulator = foldAll(fold, [
      { left: 1 },
      { left: 2 },
      { right: 1 },
      { right: 2 },
      { right: 3 },
      { left: 3 },
    ]);
    expect([fold.result(accumulator).length, fold.overflow?.(accumulator)]).toEqual([6, 1]);
    const narrow = join({ sides: { left: ({ left }: Pair) => left }, insert: "product", maxBytes: 100 });
    const few = foldAll(
      narrow,
      Array.from({ length: 50 }, (_, left) => ({ left })),
    );
    expect(JSON.stringify(narrow.result(few)).length).toBeLessThanOrEqual(100);
    expect(narrow.result(few).length + (narrow.overflow?.(few) ?? 0)).toBe(50);
  });

  test.each([0, -1, 1.5, Number.NaN])("a bound of %d is refused", (max) => {
    expect(() => distinct(same, { max })).toThrow(WindowOptionsError);
    expect(() => collectList(same, { max })).toThrow(WindowOptionsError);
    expect(() => collectMap((n: number) => ["x", n] as const, { maxBytes: max })).toThrow(WindowOptionsError);
  });
});

describe("aggregate", () => {
  interface Click {
    readonly id: string;
    readonly user: string;
    readonly mobile?: boolean;
    readonly ms: number;
  }
  const clicks: readonly Click[] = [
    { id: "1", user: "ann", mobile: true, ms: 5 },
    { id: "1", user: "constructor", ms: 7 },
    { id: "2", user: "__proto__", mobile: true, ms: 3 },
    { id: "3", user: "ann", ms: 9 },
  ];
  const audience = () =>
    aggregate({
      events: count(),
      slowest: max((click: Click) => click.ms),
      users: distinct((click: Click) => click.user),
      mobile: distinct((click: Click) => (click.mobile === true ? click.user : undefined)),
      byUser: collectMap((click: Click) => [click.user, click.ms] as const),
      first: reduce(
        (click: Click) => click,
        (first) => first,
      ),
    });
  foldLaws(audience, clicks);
  foldLaws(() => aggregate({ inner: audience(), events: count() }), clicks);

  test("returns one typed row of all folds", () => {
    const row = resultOf(audience(), clicks);
    const users: number = row.users;
    expect([row.events, row.slowest, users, row.mobile, row.first.id]).toEqual([4, 9, 3, 2, "1"]);
    expect(Object.entries(row.byUser)).toEqual([
      ["ann", 9],
      ["constructor", 7],
      ["__proto__", 3],
    ]);
  });

  test("adds up what its folds left out", () => {
    const fold = aggregate({
      ids: distinct((click: Click) => click.id, { max: 1 }),
      users: distinct((click: Click) => click.user, { max: 2 }),
    });
    const accumulator = foldAll(fold, clicks);
    expect([fold.result(accumulator), fold.overflow?.(accumulator)]).toEqual([{ ids: 1, users: 2 }, 3]);
  });

  test("an event that one fold refuses is in no fold", () => {
    const fold = aggregate({
      events: count(),
      ids: collectList((click: Click) => click.id),
      ms: sum((click: Click) => click.ms),
    });
    const accumulator = foldAll(fold, clicks);
    expect(() => fold.add(accumulator, { id: "4", user: "bob", ms: Number.NaN }, 0)).toThrow(FoldValueError);
    expect(fold.result(accumulator)).toEqual({ events: 4, ids: ["1", "1", "2", "3"], ms: 24 });
  });

  test("needs at least one fold, and refuses folds that emit before the close", () => {
    expect(() => aggregate({})).toThrow(WindowOptionsError);
    const running = join({ sides: { id: (click: Click) => click.id }, emit: "running" });
    expect(() => aggregate({ running })).toThrow('The fold "running"');
  });

  test("refuses the state of other folds", () => {
    const saved = aggregate({ events: count() }).snapshot([1]);
    expect(() => aggregate({ clicks: count() }).restore(saved)).toThrow("the fields clicks");
    expect(() => aggregate({ events: count(), more: count() }).restore(saved)).toThrow(WindowStateError);
  });
});

describe("values that are not JSON", () => {
  const dates = [new Date(5), new Date(3), new Date(9)];
  const codec: JsonCodec<Date> = {
    snapshot: (date) => date.getTime(),
    restore: (json) => new Date(json as number),
  };
  const self = (date: Date): Date => date;
  foldLaws(() => collectList(self, { codec }), dates);
  foldLaws(() => collectMap((date: Date) => ["last", date] as const, { codec }), dates);
  foldLaws(() => reduce(self, (a, b) => (a < b ? a : b), { codec }), dates);

  test("are returned unchanged, also with a codec", () => {
    expect(
      resultOf(
        reduce(self, (a, b) => (a < b ? a : b), { codec }),
        dates,
      ),
    ).toBe(dates[1]);
    expect(resultOf(collectList(self, { codec }), dates)).toEqual(dates);
  });

  test("are never stored as something else without an error", () => {
    const list = collectList(self as (date: Date) => never);
    expect(() => list.add(list.create(), new Date(), 0)).toThrow("a Date. Give the fold a codec");
    const set = reduce(
      (value: number) => new Set([value]) as unknown as number[],
      (a) => a,
    );
    expect(() => set.snapshot(set.add(set.create(), 1, 0))).toThrow("a Set");
    const scalars = distinct((value: number) => [value] as unknown as string);
    expect(() => scalars.add(scalars.create(), 1, 0)).toThrow(FoldValueError);
  });
});

describe("jsonBytes", () => {
  test("is the length of the JSON", () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: anyCharacter }), (text) => {
        const value = JSON.parse(text) as Json;
        const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
        expect(jsonBytes(value)).toBe(bytes);
      }),
    );
    expect(jsonBytes("\ud800 \u{1f600} \u0001")).toBe(2 + 6 + 1 + 4 + 1 + 6);
  });

  test.each([[Number.NaN], [new Date()], [new Map()], [undefined], [{ a: [new Set()] }], [1n], [() => 1]])(
    "is NaN for %p",
    (value) => {
      expect(jsonBytes(value)).toBeNaN();
    },
  );
});

describe("a damaged snapshot", () => {
  test.each([
    ["count", (): unknown => count().restore("x")],
    ["mean", (): unknown => mean(same).restore([1])],
    ["sum, poisoned", (): unknown => sum(same).restore(null)],
    ["min, poisoned", (): unknown => min(same).restore(null)],
    ["collectList", (): unknown => collectList(same).restore({})],
    ["collectMap", (): unknown => collectMap((v: number) => ["x", v]).restore([[1, 2]])],
    ["aggregate", (): unknown => aggregate({ events: count() }).restore([1])],
  ])("of %s is refused", (_, restore) => {
    expect(restore).toThrow(WindowStateError);
  });

  test.each([
    ["collectList", collectList(same)],
    ["collectSet", collectSet(same)],
    ["collectMap", collectMap((v: number) => [String(v), v] as const)],
    ["join", join({ sides: { same }, insert: "product" })],
    ["ordered", orderedFold(count(), jsonCodec<number>(), 10)],
  ] as const)(
    "of %s is refused if a part of it is missing",
    (_, fold: ClosingFold<number, unknown, unknown>) => {
      const accumulator = foldAll(fold, [1, 2]);
      const restored = fold.restore(fold.snapshot(accumulator));
      expect(() => fold.parts?.restore(restored, [])).toThrow(WindowStateError);
    },
  );
});
