import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { StateStore } from "../conformance/state-store.ts";
import { Deduplicator, WindowOptionsError } from "../src/index.ts";

describe("Deduplicator", () => {
  test("keeps the first of each id, and counts what it drops", () => {
    const dedup = new Deduplicator({ within: 100 });
    expect(dedup.process({ ids: ["a", "b", "a"] }, 0)).toEqual([0, 1]);
    expect(dedup.process({ ids: ["b", "c"] }, 99)).toEqual([1]);
    expect(dedup.stats()).toEqual({ kept: 3, dropped: 2, refused: 0, forgotten: 0, remembered: 3 });
  });

  test("keeps an id for the given time after its first event, even if it comes again", () => {
    const dedup = new Deduplicator({ within: 100 });
    dedup.process({ ids: ["a"] }, 0);
    dedup.process({ ids: ["a"] }, 99);
    expect(dedup.process({ ids: ["a"] }, 100)).toEqual([0]);
  });

  test("uses the events' timestamps if they have any, and its time never decreases", () => {
    const dedup = new Deduplicator({ within: 100 });
    expect(dedup.process({ ids: ["a", "b", "a", "a"], times: [0, 99, 50, 100] }, 100)).toEqual([0, 1, 3]);
  });

  test("forgets and counts the oldest id when it is full", () => {
    const dedup = new Deduplicator({ within: 100, maxIds: 2 });
    expect(dedup.process({ ids: ["a", "b", "c", "b", "a"] }, 0)).toEqual([0, 1, 2, 4]);
    expect(dedup.stats()).toMatchObject({ forgotten: 2, remembered: 2 });
  });

  test("refuses an event from the future, which would make it forget ids or keep one for ever", () => {
    const dedup = new Deduplicator({ within: 1_000 });
    const future = 4_102_444_800_000;
    const times = [0, future, 500, 500, Number.NaN];
    expect(dedup.process({ ids: ["a", "x", "a", "b", "c"], times }, 600)).toEqual([0, 3]);
    expect(dedup.stats()).toMatchObject({ kept: 2, dropped: 1, refused: 2, remembered: 2 });
    const store = new StateStore();
    store.apply(dedup.snapshot());
    const next = new Deduplicator({ within: 1_000 });
    next.restore(store.load(), 1_600);
    expect(next.process({ ids: ["a", "b", "x"], times: [1_600, 1_600, 1_600] }, 1_600)).toEqual([0, 1, 2]);
    expect(next.stats()).toMatchObject({ refused: 2, remembered: 3 });
  });

  test("measures the future from the arrival of the message, if that is known and not in the future", () => {
    const dedup = new Deduplicator({ within: 1_000, maxFuture: 100 });
    const ids = ["a", "b", "c", "d", "e"];
    const arrivals = [50, 49, Number.NaN, 1e12, 1e12];
    expect(dedup.process({ ids, times: [150, 150, 300, 300, 301], arrivals }, 200)).toEqual([0, 2, 3]);
    const unbounded = new Deduplicator({ within: 1_000, maxFuture: "unbounded" });
    expect(unbounded.process({ ids: ["a"], times: [1e14] }, 0)).toEqual([0]);
  });

  test.each([{ within: 1, maxFuture: -1 }, { within: 0 }, { within: Number.NaN }, { within: 1, maxIds: 0 }])(
    "refuses %p",
    (options) => {
      expect(() => new Deduplicator(options)).toThrow(WindowOptionsError);
    },
  );

  test("drops exactly the ids seen within the given time, with random restarts", () => {
    const steps = fc.array(
      fc.record({ id: fc.constantFrom("a", "b", "c", "d"), elapsed: fc.nat(30), restart: fc.boolean() }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 50 }), (list, within) => {
        const store = new StateStore();
        const keptAt = new Map<string, number>();
        let dedup = new Deduplicator({ within });
        let now = 0;
        for (const { id, elapsed, restart } of list) {
          now += elapsed;
          const before = keptAt.get(id);
          const isNew = before === undefined || before + within <= now;
          if (isNew) keptAt.set(id, now);
          expect(dedup.process({ ids: [id] }, now)).toEqual(isNew ? [0] : []);
          if (!restart) continue;
          store.apply(dedup.snapshot());
          dedup = new Deduplicator({ within });
          dedup.restore(store.load(), now);
        }
        const { kept, dropped } = dedup.stats();
        expect(kept + dropped).toBe(list.length);
      }),
    );
  });

  test("memory does not grow over many ids", () => {
    const dedup = new Deduplicator({ within: 1_000 });
    for (let from = 0; from < 200_000; from += 1_000) {
      const ids = Array.from({ length: 1_000 }, (_, index) => `id-${String(from + index)}`);
      dedup.process({ ids, times: ids.map((_, index) => from + index) }, from);
    }
    expect(dedup.stats()).toMatchObject({ kept: 200_000, remembered: 1_000 });
  });
});
