import { describe, expect, jest, test } from "@jest/globals";
import fc from "fast-check";

import {
  AccumulatorTooLargeError,
  WindowOptionsError,
  aggregate,
  count,
  createWindowEngine,
  foldOf,
  mapCodec,
  reduce,
  session,
  sliding,
  tumbling,
  type ClosingFold,
  type FoldSpec,
  type WindowEngineOptions,
} from "../src/index.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";

const tumblingWindows = tumbling(10);

type Spec<A> = FoldSpec<TestEvent, A>;

/** Changes its list in place. */
const inPlace: Spec<number[]> = {
  create: () => [],
  add(list, { value }) {
    list.push(value);
    return list;
  },
  merge(earlier, later) {
    earlier.push(...later);
    return earlier;
  },
};

/** A list of long texts, `times` of a MiB for each event. */
const longTexts = (
  times: number,
  maxBytes?: number,
  character = "x",
): ClosingFold<TestEvent, unknown, readonly string[]> =>
  foldOf(
    {
      create: (): readonly string[] => [],
      add: (list, _: TestEvent) => [...list, ...Array<string>(times).fill(character.repeat(2 ** 20))],
      merge: (earlier, later) => [...earlier, ...later],
    },
    maxBytes === undefined ? {} : { maxBytes },
  );

/** Gives a new list each time. */
const copying: Spec<readonly number[]> = {
  create: () => [],
  add: (list, { value }) => [...list, value],
  merge: (earlier, later) => [...earlier, ...later],
};

const listOf = (maxBytes?: number): ClosingFold<TestEvent, unknown, readonly number[]> =>
  foldOf(inPlace, maxBytes === undefined ? {} : { maxBytes });
const textOf = (maxBytes?: number): ClosingFold<TestEvent, unknown, string> =>
  reduce(
    ({ value }: TestEvent) => String(value),
    (a, b) => `${a}${b}`,
    maxBytes === undefined ? {} : { maxBytes },
  );

describe("a custom accumulator", () => {
  test.each<readonly [string, ClosingFold<TestEvent, unknown, unknown>, unknown]>([
    ["foldOf", listOf(8), [1, 2, 3, 4, 5]],
    ["reduce", textOf(6), "12345"],
    ["aggregate", aggregate({ list: listOf(8), text: textOf(6) }), { list: [1, 2, 3, 4, 5], text: "12345" }],
  ])("that is larger than its limit accepts no more, also after a restart: %s", (name, fold, value) => {
    const driver = new EngineDriver({ windower: tumblingWindows, clock: eventClock(), fold });
    driver.process(batch(event(1, "a", 1), event(1, "a", 2)), 0);
    driver.restart();
    driver.process(batch(...[3, 4, 5].map((each) => event(1, "a", each))), 0);
    driver.commit();
    driver.process(batch(event(1, "a", 6), event(1, "b", 7)), 0);
    driver.restart();
    driver.process(batch(event(1, "a", 8)), 0);
    driver.restart();
    const of = name === "aggregate" ? 2 : 1;
    expect(driver.engine.stats().overflowedValues).toBe(2 * of);
    const [a, b] = driver.finish();
    expect(a).toMatchObject({ key: "a", value, overflow: 2 * of });
    expect(b).not.toHaveProperty("overflow");
  });

  test.each<ClosingFold<TestEvent, unknown, unknown>>([listOf(1), textOf(1)])(
    "is not measured without snapshots",
    (fold) => {
      const driver = new EngineDriver({ windower: tumblingWindows, clock: eventClock(), fold });
      driver.process(batch(...Array.from({ length: 100 }, (_, value) => event(1, "a", value))), 0);
      expect(driver.finish()[0]).not.toHaveProperty("overflow");
    },
  );

  test("is limited to 1 MiB by default, and unlimited with Infinity", () => {
    for (const [maxBytes, taken] of [
      [undefined, 1],
      [Number.POSITIVE_INFINITY, 2],
    ] as const) {
      const fold = longTexts(1, maxBytes);
      const driver = new EngineDriver({ windower: tumblingWindows, clock: eventClock(), fold });
      driver.process(batch(event(1)), 0);
      driver.commit();
      driver.process(batch(event(1)), 0);
      expect(driver.finish()[0]?.value).toHaveLength(taken);
    }
    for (const maxBytes of [0, -1, Number.NaN]) expect(() => listOf(maxBytes)).toThrow(WindowOptionsError);
  });

  test("counts the events of a session that did not fit", () => {
    const driver = new EngineDriver({
      windower: session(5),
      clock: eventClock("unbounded"),
      fold: listOf(4),
    });
    driver.process(batch(event(1, "a", 1), event(2, "a", 2), event(20, "a", 3), event(21, "a", 4)), 0);
    driver.commit();
    for (const ts of [7, 12, 16]) driver.process(batch(event(ts, "a", ts)), 0);
    expect(driver.finish()).toMatchObject([{ value: [1, 2], overflow: 5 }]);
  });

  test("accepts what a naive model accepts, in all windows, with any commits and restarts", () => {
    const steps = fc.array(
      fc.record({
        stamps: fc.array(fc.integer({ min: 0, max: 39 }), { maxLength: 5 }),
        then: fc.constantFrom("nothing", "commit", "restart"),
      }),
      { maxLength: 12 },
    );
    const windowers = fc.constantFrom(tumblingWindows, sliding(10, { every: 5 }));
    const models = fc.constantFrom("stream" as const, "perKey" as const);
    fc.assert(
      fc.property(
        steps,
        windowers,
        models,
        fc.integer({ min: 1, max: 12 }),
        (script, windower, timeModel, maxBytes) => {
          const fold = listOf(maxBytes);
          const driver = new EngineDriver({ windower, timeModel, clock: eventClock("unbounded"), fold });
          const model = new Map<number, { readonly values: number[]; full: boolean; overflow: number }>();
          let next = 0;
          for (const { stamps, then } of script) {
            const events = stamps.map((ts) => event(ts, "a", next++ % 10));
            driver.process(batch(...events), 0);
            for (const { ts, value } of events) {
              for (const id of windower.idsAt(ts)) {
                const held = model.get(id) ?? { values: [], full: false, overflow: 0 };
                model.set(id, held);
                if (held.full) held.overflow++;
                else held.values.push(value);
              }
            }
            if (then === "nothing") continue;
            for (const held of model.values()) held.full = JSON.stringify(held.values).length > maxBytes;
            if (then === "commit") driver.commit();
            else driver.restart();
          }
          const rows = driver
            .finish()
            .map(({ window, value, overflow = 0 }) => [window.open, value, overflow]);
          const expected = [...model].map(([id, { values, overflow }]) => [
            windower.openOf(id),
            values,
            overflow,
          ]);
          expect(rows.sort(byOpen)).toEqual(expected.sort(byOpen));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("that is too large for a store is refused with its key before anything is written", () => {
    // A character of six bytes in JSON: fewer of them to look at.
    const fold = longTexts(43, undefined, "\u0001");
    for (const options of [
      { windower: tumblingWindows },
      { windower: session(1) },
      { windower: tumblingWindows, timeModel: "perKey" as const },
    ]) {
      const engine = createWindowEngine({ clock: eventClock(), fold, ...options });
      engine.process(batch(event(1, "zone-7")), 0);
      expect(() => engine.snapshot()).toThrow(
        expect.objectContaining({
          code: AccumulatorTooLargeError.code,
          message: expect.stringContaining('"zone-7"'),
          size: { key: "zone-7", bytes: expect.any(Number), maxBytes: 2 ** 28 },
        }),
      );
    }
  });

  function byOpen([a]: readonly unknown[], [b]: readonly unknown[]): number {
    return Number(a) - Number(b);
  }
});

describe("a row of a custom accumulator", () => {
  type Options = Omit<Partial<WindowEngineOptions<TestEvent, unknown, unknown>>, "fold">;
  const windows: readonly (readonly [string, Options])[] = [
    ["late results", { windower: tumblingWindows, allowedLateness: 100 }],
    ["early results", { windower: tumblingWindows, clock: eventClock(100), earlyEvery: 1 }],
    ["late results of sessions", { windower: session(5), allowedLateness: 100 }],
    [
      "early results of perKey",
      { windower: tumblingWindows, clock: eventClock(100), timeModel: "perKey", earlyEvery: 1 },
    ],
  ];

  /** A row, a row after a change, and a third one; each with what it was when it left. */
  function revised<A, R>(fold: ClosingFold<TestEvent, A, R>, options: Options, restarts = false) {
    const driver = new EngineDriver<TestEvent, A, R>({
      windower: tumblingWindows,
      clock: eventClock(),
      fold,
      ...options,
    });
    const rows: { value: R; previous?: R }[] = [];
    const seen: string[] = [];
    const take = (made: readonly { value: R; previous?: R; key: string }[]): void => {
      for (const row of made) {
        if (row.key !== "a") continue;
        rows.push(row);
        seen.push(JSON.stringify(row));
      }
    };
    take(driver.process(batch(event(1, "a", 1), event(2, "a", 2), event(50, "b")), 0));
    take(driver.advance(10));
    for (const value of [3, 4]) {
      take(driver.process(batch(event(value, "a", value)), 10 * value));
      if (restarts && value === 3) driver.restart();
      take(driver.advance(10 * value + 5));
    }
    expect(rows).toHaveLength(3);
    expect(rows.map((row) => JSON.stringify(row))).toEqual(seen);
    return rows;
  }

  const cases = windows.flatMap(([name, options]) =>
    [false, true].map((restarts) => [name, options, restarts] as const),
  );

  test.each(cases)(
    "does not change with it, nor does the next row's previous: %s",
    (_, options, restarts) => {
      for (const fold of [
        foldOf(inPlace),
        foldOf({ ...copying, copy: false }),
        aggregate({ list: foldOf(inPlace) }),
      ]) {
        const [first, second, third] = revised<unknown, unknown>(fold, options, restarts);
        expect(second?.previous).toEqual(first?.value);
        expect(third?.previous).toEqual(second?.value);
        expect(JSON.stringify(third?.value)).toContain("[1,2,3,4]");
      }
    },
  );

  test.each(windows)("is never made by way of JSON without a store: %s", (_, options) => {
    const spec = {
      create: (): Map<string, Set<Date>> => new Map(),
      add: (seen: Map<string, Set<Date>>, { key, value }: TestEvent) =>
        seen.set(key, new Set([...(seen.get(key) ?? []), new Date(value)])),
      merge: (earlier: Map<string, Set<Date>>, later: Map<string, Set<Date>>) =>
        new Map([...later, ...earlier]),
    };
    const never = (): never => {
      throw new Error("kept without a store");
    };
    const fold = foldOf(spec, { codec: { snapshot: never, restore: never } });
    const stringify = jest.spyOn(JSON, "parse");
    const rows = revised(fold, options);
    expect(stringify).not.toHaveBeenCalled();
    stringify.mockRestore();
    const dates = rows.map(({ value }) => [...(value.get("a") ?? [])].map((date) => date.getTime()));
    expect(dates).toEqual([
      [1, 2],
      [1, 2, 3],
      [1, 2, 3, 4],
    ]);
    expect(rows.map(({ previous }) => previous?.get("a")?.size)).toEqual([undefined, 2, 3]);
  });

  test.each(windows)(
    "costs one copy if the accumulator changes after it, and no copy otherwise: %s",
    (_, options) => {
      let copies = 0;
      const copy = (list: number[]): number[] => {
        copies++;
        return [...list];
      };
      revised(foldOf({ ...inPlace, copy }), options);
      expect(copies).toBe(2);
      copies = 0;
      const driver = new EngineDriver({
        windower: tumblingWindows,
        clock: eventClock(),
        fold: foldOf({ ...inPlace, copy }),
      });
      for (let value = 0; value < 100; value++) driver.process(batch(event(value, "a", value)), 0);
      driver.commit();
      driver.process(batch(event(99)), 0);
      driver.finish();
      expect(copies).toBe(0);
    },
  );

  test("of values that cannot be copied needs a copy function, or the fold is refused when it is defined", () => {
    class Tally {
      total = 0;
    }
    const codec = { snapshot: ({ total }: Tally) => total, restore: () => new Tally() };
    const spec = { create: () => new Tally(), add: (tally: Tally) => tally, merge: (tally: Tally) => tally };
    expect(() => foldOf(spec, { codec })).toThrow(/structuredClone turns a Tally into a Object/);
    expect(() =>
      foldOf({ ...spec, create: () => Object.assign(new Tally(), { call: () => 1 }) }, { codec }),
    ).toThrow(WindowOptionsError);
    expect(() =>
      foldOf({ ...spec, copy: (tally) => Object.assign(new Tally(), tally) }, { codec }),
    ).not.toThrow();
    expect(() => foldOf({ ...spec, copy: false }, { codec })).not.toThrow();
    expect(() =>
      foldOf({ create: () => new Map(), add: (map) => map, merge: (map) => map }, { codec: mapCodec() }),
    ).not.toThrow();
  });

  test("of a reduce with a codec is the value itself, and is not encoded without a store", () => {
    const never = (): never => {
      throw new Error("kept without a store");
    };
    const later = (a: Date, b: Date): Date => (b > a ? b : a);
    const fold = reduce(({ value }: TestEvent) => new Date(value), later, {
      codec: { snapshot: never, restore: never },
    });
    const rows = revised(fold, { allowedLateness: 100 });
    expect(rows.map(({ value }) => value)).toEqual([new Date(2), new Date(3), new Date(4)]);
    expect(rows[1]?.previous).toBe(rows[0]?.value);
  });

  test("of an aggregate beside folds with parts: previous of all of them", () => {
    const fold = aggregate({ events: count(), list: foldOf(inPlace) });
    const rows = revised(fold, { allowedLateness: 100 }, true);
    expect(rows.map(({ previous }) => previous)).toEqual([
      undefined,
      { events: 2, list: [1, 2] },
      { events: 3, list: [1, 2, 3] },
    ]);
  });
});
