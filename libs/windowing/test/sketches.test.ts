import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import {
  FoldValueError,
  WindowOptionsError,
  WindowStateError,
  aggregate,
  approxDistinct,
  count,
  createWindowEngine,
  quantile,
  session,
  topK,
  tumbling,
  type Fold,
  type Scalar,
} from "../src/index.ts";
import { jsonBytes } from "../src/json.ts";
import { StateBudget } from "../src/room.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";
import { foldAll, foldLaws, keeping } from "./support/fold-laws.ts";

const self = <T>(value: T): T => value;

/** Folds values in parts that are merged, one of them from its stored state. */
function inParts<V, A, R>(fold: Fold<V, A, R>, parts: readonly (readonly V[])[]): A {
  return parts.reduce((merged: A, part) => {
    const kept = keeping(fold);
    kept.keep(foldAll(fold, part));
    return fold.merge(merged, kept.restore());
  }, fold.create());
}

describe("quantile", () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  const values = fc.oneof(
    fc.array(finite, { minLength: 1, maxLength: 200 }),
    fc.array(fc.integer({ min: -50, max: 1_000 }), { minLength: 1, maxLength: 200 }),
  );
  const ranks = fc.double({ min: 0, max: 1, noNaN: true });

  /** The smallest value that at least the part `q` does not exceed. */
  function exact(all: readonly number[], q: number): number {
    const inOrder = [...all].sort((a, b) => a - b);
    const found = inOrder.find((_, index) => (index + 1) / inOrder.length >= q * (1 - 4 * Number.EPSILON));
    return found ?? Number.NaN;
  }

  function isNear(result: number, right: number, error: number): boolean {
    return Math.abs(result - right) <= Math.abs(right) * error * (1 + 1e-9) + 1e-300;
  }

  test("is within its error of the exact one, folded whole and merged", () => {
    const errors = fc.constantFrom(0.0001, 0.01, 0.05, 0.5);
    fc.assert(
      fc.property(values, values, ranks, errors, (some, others, q, error) => {
        const fold = quantile(self<number>, [q, 0, 1], { error, maxBins: 100_000 });
        const all = [...some, ...others];
        const right = exact(all, q);
        for (const sketch of [foldAll(fold, all), inParts(fold, [some, others])]) {
          const [result, least, greatest] = fold.result(sketch);
          expect([result, right, isNear(result, right, error)]).toEqual([result, right, true]);
          expect([least, greatest]).toEqual([Math.min(...all) + 0, Math.max(...all) + 0]);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("has one zero, in whichever order it comes, since JSON has no -0", () => {
    const fold = quantile(self<number>, [0, 0.5, 1]);
    for (const sketch of [foldAll(fold, [-0, 0]), foldAll(fold, [0, -0]), inParts(fold, [[0], [-0]])]) {
      expect(fold.result(sketch)).toEqual([0, 0, 0]);
    }
  });

  test("with too many bins doubles its error, and keeps to that and to its bound", () => {
    fc.assert(
      fc.property(values, values, ranks, fc.integer({ min: 8, max: 40 }), (some, others, q, maxBins) => {
        const fold = quantile(self<number>, q, { maxBins });
        const sketch = inParts(fold, [some, others]);
        expect(sketch.bins).toBeLessThanOrEqual(maxBins);
        // A factor that is squared with each level gives 2 e / (1 + e²) for an error of e.
        let error = 0.01;
        for (let level = 0; level < sketch.level; level++) error = (2 * error) / (1 + error ** 2);
        const right = exact([...some, ...others], q);
        const result = fold.result(sketch);
        expect([result, right, isNear(result, right, error)]).toEqual([result, right, true]);
      }),
      { numRuns: 100 },
    );
  });

  test("does not depend on order and merges", () => {
    fc.assert(
      fc.property(values, values, fc.integer({ min: 8, max: 40 }), (some, others, maxBins) => {
        const fold = quantile(self<number>, 0.5, { maxBins });
        const shown = (sketch: ReturnType<typeof fold.create>): unknown => fold.snapshot(sketch);
        const whole = shown(foldAll(fold, [...some, ...others]));
        expect(shown(inParts(fold, [others, some]))).toEqual(whole);
        expect(shown(foldAll(fold, [...others, ...some].reverse()))).toEqual(whole);
      }),
      { numRuns: 100 },
    );
  });

  foldLaws(() => quantile(self<number>, [0.5, 0.99], { maxBins: 8 }), [3, -1, 0, 1e9, 5, 1e-9, -7, 2]);

  test("merges a coarse sketch and a fine one, either way", () => {
    const fold = quantile(self<number>, 0.5, { maxBins: 8 });
    const wide = Array.from({ length: 40 }, (_, index) => (-1) ** index * 10 ** (index - 20));
    const narrow = [5, 6, -5, -6];
    const whole = fold.snapshot(foldAll(fold, [...wide, ...narrow]));
    expect(foldAll(fold, wide).level).toBeGreaterThan(foldAll(fold, narrow).level);
    expect(fold.snapshot(inParts(fold, [wide, narrow]))).toEqual(whole);
    expect(fold.snapshot(inParts(fold, [narrow, wide]))).toEqual(whole);
  });

  test("gives a number for one rank, and a list for a list", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    const near = (value: number): unknown => expect.closeTo(value, 0);
    const one = quantile(self<number>, 0.29);
    expect(one.result(foldAll(one, hundred))).toEqual(near(29));
    const several = quantile(self<number>, [0, 0.5, 0.99, 1]);
    expect(several.result(foldAll(several, hundred))).toEqual([1, near(50), near(99), 100]);
  });

  test("keeps a bounded state, whatever the values are", () => {
    const fold = quantile(self<number>, 0.5);
    const sketch = fold.create();
    for (let i = 0; i < 20_000; i++)
      fold.add(sketch, (i % 2 === 0 ? 1 : -1) * 10 ** ((i % 600) - 300 + i / 20_000), i);
    expect(sketch.bins).toBeLessThanOrEqual(2_048);
    expect(jsonBytes(fold.snapshot(sketch))).toBeLessThan(32_768);
    // So wide a range is rare: values from a microsecond to a month keep the error of 1 %.
    const usual = foldAll(
      fold,
      Array.from({ length: 10_000 }, (_, index) => 1e-3 * 2.6e12 ** (index / 10_000)),
    );
    expect(usual.level).toBe(0);
  });

  test.each([
    [{ q: 1.5 }, /q of quantile is 1.5, but must be a number from 0 to 1/],
    [{ q: Number.NaN }, /q of quantile is NaN/],
    [{ error: 0 }, /error of quantile is 0, but must be a number from 0.0001 to 0.5/],
    [{ maxBins: 7 }, /maxBins of quantile is 7/],
    [{ maxBins: 10.5 }, /maxBins of quantile is 10.5, but must be a whole number/],
  ])("refuses %j", ({ q = 0.5, ...options }: { q?: number; error?: number; maxBins?: number }, message) => {
    expect(() => quantile(self<number>, q, options)).toThrow(WindowOptionsError);
    expect(() => quantile(self<number>, [0.5, q], options)).toThrow(message);
  });

  test("refuses a value that is no finite number", () => {
    const fold = quantile(self<number>, 0.5);
    expect(() => fold.add(fold.create(), Number.NaN, 0)).toThrow(FoldValueError);
  });
});

describe("topK", () => {
  const names = fc.array(fc.oneof(fc.nat(9), fc.nat(60)), { minLength: 1, maxLength: 300 });

  function exactCounts<T>(values: readonly T[]): Map<T, number> {
    const counts = new Map<T, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    return counts;
  }

  test("is exact while all different values have room", () => {
    fc.assert(
      fc.property(names, names, fc.integer({ min: 1, max: 5 }), (some, others, k) => {
        const fold = topK(self<number>, k);
        const expected = [...exactCounts([...some, ...others])]
          .sort(([a, m], [b, n]) => n - m || a - b)
          .slice(0, k)
          .map(([value, times]) => ({ value, count: times, error: 0 }));
        expect(fold.result(foldAll(fold, [...some, ...others]))).toEqual(expected);
        expect(fold.result(inParts(fold, [some, others]))).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  test("beyond that each count is too low by its error at most, and that is 2 / max of all", () => {
    fc.assert(
      fc.property(names, names, names, fc.integer({ min: 6, max: 30 }), (one, two, three, max) => {
        const fold = topK(self<number>, 3, { max });
        const all = [...one, ...two, ...three];
        const right = exactCounts(all);
        for (const tally of [foldAll(fold, all), inParts(fold, [one, two, three])]) {
          expect(tally.counts.size).toBeLessThanOrEqual(max);
          expect(tally.error).toBeLessThanOrEqual((2 * all.length) / max);
          for (const [value, times] of right) {
            const held = tally.counts.get(value) ?? 0;
            expect(held).toBeLessThanOrEqual(times);
            expect(held + tally.error).toBeGreaterThanOrEqual(times);
          }
          expect(fold.result(tally).every(({ error }) => error === tally.error)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  foldLaws(() => topK(self<Scalar>, 2), ["b", "a", "b", 1, "1", null, true, "a", "b"]);

  test("finds frequent values among many rare ones", () => {
    const fold = topK(self<string>, 2, { max: 100 });
    const values = Array.from({ length: 30_000 }, (_, i) =>
      i % 3 === 0 ? `often ${String(i % 2)}` : `rare ${String(i)}`,
    );
    const tally = foldAll(fold, values);
    expect(
      fold
        .result(tally)
        .map(({ value }) => value)
        .sort(),
    ).toEqual(["often 0", "often 1"]);
    expect(jsonBytes(fold.snapshot(tally))).toBeLessThan(4_096);
  });

  test("keeps to its bound in bytes, and leaves out texts that are too long", () => {
    const fold = topK((value: number) => `${String(value)}${"x".repeat(100)}`, 3, { maxBytes: 2_000 });
    const tally = foldAll(
      fold,
      Array.from({ length: 500 }, (_, index) => index),
    );
    expect(tally.bytes).toBeLessThanOrEqual(2_000);
    const long = topK(self<string>, 3);
    const held = foldAll(long, ["x".repeat(65_536), "y"]);
    expect([long.result(held), long.overflow?.(held)]).toEqual([[{ value: "y", count: 1, error: 0 }], 1]);
  });

  test("leaves out events without a value, and refuses what has no equality", () => {
    const fold = topK((value: unknown) => value as Scalar | undefined, 1);
    expect(fold.result(foldAll(fold, [undefined, "a"]))).toEqual([{ value: "a", count: 1, error: 0 }]);
    expect(() => fold.add(fold.create(), {}, 0)).toThrow(FoldValueError);
  });

  test("refuses bounds that make no sense", () => {
    expect(() => topK(self<string>, 0)).toThrow(/k of topK is 0/);
    expect(() => topK(self<string>, 10, { max: 19 })).toThrow(
      /max of topK is 19, but must be at least twice k/,
    );
  });
});

describe("approxDistinct", () => {
  /** The relative errors of sets of this size. */
  function errorsOf(size: number, error: number): readonly number[] {
    const fold = approxDistinct(self<string>, { error });
    return Array.from({ length: 60 }, (_, set) => {
      const registers = fold.create();
      for (let i = 0; i < size; i++) fold.add(registers, `user-${String(set)}-${String(i)}`, i);
      return (fold.result(registers) - size) / size;
    });
  }

  test.each([
    [3, 0.02],
    [100, 0.02],
    [2_000, 0.02],
    [10_000, 0.02],
    [10_000, 0.1],
    [5_000, 0.26],
  ])("of %d values has its standard error (%d) and no bias", (size, error) => {
    const errors = errorsOf(size, error);
    const rms = Math.sqrt(errors.reduce((sum, each) => sum + each ** 2, 0) / errors.length);
    const mean = errors.reduce((sum, each) => sum + each, 0) / errors.length;
    expect(rms).toBeLessThan(error * 1.15);
    expect(Math.abs(mean)).toBeLessThan(error * 0.45);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(error * 4);
  });

  test("is the same in every order, repeated, and merged", () => {
    const ids = fc.array(fc.nat(2_000), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(ids, ids, (some, others) => {
        const fold = approxDistinct(self<number>);
        const whole = foldAll(fold, [...some, ...others]);
        const right = new Set([...some, ...others]).size;
        for (const registers of [whole, inParts(fold, [others, some, some])]) {
          expect(fold.result(registers)).toBe(fold.result(whole));
          expect(Math.abs(fold.result(registers) - right)).toBeLessThanOrEqual(Math.max(2, right * 0.08));
        }
      }),
      { numRuns: 50 },
    );
  });

  foldLaws(
    () => approxDistinct(self<Scalar>, { error: 0.26 }),
    ["b", "a", "b", 1, "1", null, true, false, 2.5],
  );
  foldLaws(() => approxDistinct(self<Scalar>), ["b", "a", "b", 1, "1", null, true, false, 2.5]);

  test("has one hash, in every process and version", () => {
    const fold = approxDistinct(self<Scalar>);
    const snapshotOf = (value: Scalar): unknown => fold.snapshot(foldAll(fold, [value]));
    expect(["", "user-1", "Zürich", 1, true, null].map(snapshotOf)).toEqual([
      [0, [3771, 6]],
      [0, [397, 2]],
      [0, [1569, 4]],
      [0, [2804, 5]],
      [0, [2416, 2]],
      [0, [2940, 1]],
    ]);
  });

  test("keeps as much as its error needs, and no more", () => {
    const bytesOf = (error: number): number => {
      const fold = approxDistinct(self<number>, { error });
      return jsonBytes(
        fold.snapshot(
          foldAll(
            fold,
            Array.from({ length: 20_000 }, (_, index) => index),
          ),
        ),
      );
    };
    expect([0.02, 0.1].map(bytesOf)).toEqual([4_096 + 6, 128 + 6]);
    const few = approxDistinct(self<number>);
    expect(jsonBytes(few.snapshot(foldAll(few, [1, 2, 3])))).toBeLessThan(40);
  });

  test("counts numbers and their texts apart, and no event without a value", () => {
    const fold = approxDistinct((value: Scalar | undefined) => value);
    expect(fold.result(foldAll(fold, [1, "1", undefined, true, "true", null]))).toBe(5);
    expect(() => approxDistinct(self<Scalar>, { error: 0.001 })).toThrow(/error of approxDistinct is 0.001/);
  });
});

const FOLDS: readonly (readonly [string, () => Fold<TestEvent, unknown, unknown>])[] = [
  ["quantile", () => quantile(({ ts }: TestEvent) => ts + 1, 0.5)],
  ["topK", () => topK(({ ts }: TestEvent) => ts, 2)],
  ["approxDistinct", () => approxDistinct(({ ts }: TestEvent) => ts)],
];

describe.each(FOLDS)("%s in an engine", (_, foldOf) => {
  test("continues from its state, and merges sessions", () => {
    const rowsOf = (restarts: boolean): readonly unknown[] => {
      const driver = new EngineDriver({ windower: session(10), clock: eventClock(100), fold: foldOf() });
      for (const ts of [1, 2, 20, 21, 40, 30, 11]) {
        driver.process(batch(event(ts)), 0);
        if (restarts) driver.restart();
      }
      return driver.finish().map(({ value, window: { open, close } }) => [open, close, value]);
    };
    expect(rowsOf(true)).toEqual(rowsOf(false));
    expect(rowsOf(true)).toEqual([[1, 40, expect.anything()]]);
  });

  test("has rows that stay as they are, and the value before in a revision", () => {
    const engine = createWindowEngine({
      windower: tumbling(100),
      clock: eventClock(),
      fold: foldOf(),
      allowedLateness: 1_000,
    });
    const [first] = engine.process(batch(event(1), event(2), event(200)), 0).results;
    const before = JSON.stringify(first);
    const [second] = engine.process(batch(event(50), event(51), event(52)), 0).results;
    expect(JSON.stringify(first)).toBe(before);
    expect(second?.previous).toEqual(first?.value);
  });

  test("shares the room of its engine, and gives it back", () => {
    const room = new StateBudget(1_000);
    const fold = foldOf();
    let accumulator = fold.create(room);
    for (let i = 0; i < 1_000; i++) accumulator = fold.add(accumulator, event(2 ** (i % 50)), 0);
    expect(room.taken).toBeGreaterThan(500);
    expect(room.taken).toBeLessThanOrEqual(1_000);
    expect(fold.overflow?.(accumulator)).toBeGreaterThan(0);
    fold.growth?.release(accumulator);
    expect(room.taken).toBe(0);
  });

  test("takes the room of what is restored and merged", () => {
    const room = new StateBudget(Infinity);
    const fold = foldOf();
    const events = Array.from({ length: 300 }, (_, index) => event(1.1 ** index));
    const half = fold.restore(fold.snapshot(foldAll(fold, events.slice(0, 200))), room);
    fold.growth?.hold(half);
    const others = fold.create(room);
    for (const each of events.slice(100)) fold.add(others, each, 0);
    const merged = fold.merge(half, others);
    fold.growth?.release(others);
    expect(room.taken).toBeGreaterThan(0);
    fold.growth?.release(merged);
    expect(room.taken).toBe(0);
  });

  test("is a member of an aggregate, and refuses state of another kind", () => {
    const fold = aggregate({ events: count(), sketch: foldOf() });
    const options = { windower: tumbling(10), clock: eventClock(), fold };
    const driver = new EngineDriver(options);
    driver.process(batch(event(1), event(2)), 0);
    driver.commit();
    expect(driver.finish()[0]?.value).toMatchObject({ events: 2, sketch: expect.anything() });
    const other = createWindowEngine({ ...options, fold: aggregate({ events: count() }) });
    expect(() => {
      other.restore(driver.store.load(), 0);
    }).toThrow(WindowStateError);
  });
});
