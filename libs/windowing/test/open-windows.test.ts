import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { count, createWindowEngine, session, sliding, tumbling } from "../src/index.ts";
import type { HeldWindow } from "../src/index.ts";
import { latest } from "../src/open-windows.ts";
import { batch, event, eventClock } from "./support/events.ts";

const fold = count();
const clock = eventClock();

/** `open-close` of each window, with its key and its number of keys. */
function shown(windows: readonly HeldWindow[]): string[] {
  return windows.map(({ window, key, keys }) => `${window.open}-${window.close} ${key ?? "all"} ${keys}`);
}

describe("openWindows", () => {
  test("has tumbling windows with their keys, newest close first, at most the limit", () => {
    const engine = createWindowEngine({ windower: tumbling(10), fold, clock: eventClock(100) });
    expect(engine.openWindows(5)).toEqual([]);
    engine.process(batch(event(1, "a"), event(2, "b"), event(3, "a"), event(11, "a"), event(25, "c")), 0);
    expect(shown(engine.openWindows(5))).toEqual(["20-30 all 1", "10-20 all 1", "0-10 all 2"]);
    expect(shown(engine.openWindows(2))).toEqual(["20-30 all 1", "10-20 all 1"]);
    expect(engine.openWindows(0)).toEqual([]);
  });

  test("has each of several overlapping windows", () => {
    const engine = createWindowEngine({ windower: sliding(10, { every: 5 }), fold, clock });
    engine.process(batch(event(7)), 0);
    expect(shown(engine.openWindows(5))).toEqual(["5-15 all 1", "0-10 all 1"]);
  });

  test("has a window until the last page of its rows is emitted, and not while it is kept for late events", () => {
    const engine = createWindowEngine({
      windower: tumbling(10),
      fold,
      clock,
      pageSize: 1,
      allowedLateness: 100,
    });
    engine.process(batch(event(1, "a"), event(2, "b"), event(3, "c"), event(25, "a")), 0);
    expect(shown(engine.openWindows(5))).toEqual(["20-30 all 1", "0-10 all 3"]);
    // A late event of a window whose rows are being emitted waits, and its key counts.
    engine.process(batch(event(4, "d"), event(5, "a")), 0);
    expect(shown(engine.openWindows(5))).toEqual(["20-30 all 1", "0-10 all 4"]);
    while (engine.pending) engine.nextPage();
    expect(shown(engine.openWindows(5))).toEqual(["20-30 all 1"]);
  });

  test("has each session with its key, until its row is emitted", () => {
    const engine = createWindowEngine({ windower: session(10), fold, clock, allowedLateness: 100 });
    engine.process(batch(event(1, "a"), event(3, "b"), event(4, "a")), 0);
    expect(shown(engine.openWindows(5))).toEqual(["1-4 a 1", "3-3 b 1"]);
    engine.process(batch(event(14, "b")), 0);
    expect(shown(engine.openWindows(5))).toEqual(["14-14 b 1", "1-4 a 1"]);
  });

  test("has windows of a custom windower", () => {
    const windower = {
      kind: "custom",
      description: "weekly",
      maxSpanMs: 7,
      assign: (timestamp: number) => {
        const id = Math.floor(timestamp / 7);
        return [{ id, open: id * 7, close: id * 7 + 7 }];
      },
    } as const;
    const engine = createWindowEngine({ windower, fold, clock });
    engine.process(batch(event(1, "a"), event(6, "b")), 0);
    expect(shown(engine.openWindows(5))).toEqual(["0-7 all 2"]);
  });

  test("in the time model perKey, has a window once for all keys", () => {
    const engine = createWindowEngine({ windower: tumbling(10), fold, clock, timeModel: "perKey" });
    engine.process(batch(event(1, "a"), event(2, "b"), event(13, "a")), 0);
    expect(shown(engine.openWindows(5))).toEqual(["10-20 all 1", "0-10 all 1"]);
    expect(shown(engine.openWindows(1))).toEqual(["10-20 all 1"]);
  });

  test("in the time model perKey, has each session with its key, and none whose events wait in order", () => {
    const options = { windower: session(10), clock: eventClock(5), timeModel: "perKey" } as const;
    const engine = createWindowEngine({ ...options, fold });
    engine.process(batch(event(1, "a"), event(3, "b"), event(4, "a")), 0);
    expect(shown(engine.openWindows(5))).toEqual(["1-4 a 1", "3-3 b 1"]);

    const ordered = createWindowEngine({ ...options, fold, ordered: true });
    ordered.process(batch(event(1, "a")), 0);
    expect(ordered.openWindows(5)).toEqual([]);
  });

  test("has the same windows after a restore", () => {
    for (const timeModel of ["stream", "perKey"] as const) {
      for (const windower of [tumbling(10), session(10)]) {
        const options = { windower, fold, clock, timeModel };
        const engine = createWindowEngine(options);
        engine.process(batch(event(1, "a"), event(2, "b"), event(5, "b")), 0);
        const restored = createWindowEngine(options);
        restored.restore(
          engine.snapshot().map(({ group, put = [] }) => [group, put] as const),
          0,
        );
        expect(shown(restored.openWindows(5))).toEqual(shown(engine.openWindows(5)));
      }
    }
  });
});

test("the latest items are those that a sort of all has first", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30 })),
      fc.integer({ min: 0, max: 8 }),
      (closes, limit) => {
        const sorted = [...closes].sort((a, b) => b - a).slice(0, limit);
        expect(latest(closes, limit, (close) => close)).toEqual(sorted);
      },
    ),
    { numRuns: 200 },
  );
});
