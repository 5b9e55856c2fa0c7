import { describe, expect, test } from "@jest/globals";

import {
  count,
  createWindowEngine,
  messageTime,
  session,
  sliding,
  systemTime,
  tumbling,
  type Completeness,
} from "../src/index.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock } from "./support/events.ts";

const tumblingWindows = tumbling(10);
const sessions = session(5);

describe("results", () => {
  test("rows of one window share the window", () => {
    const engine = createWindowEngine({ windower: tumblingWindows, clock: eventClock(), fold: count() });
    const { results } = engine.process(batch(event(1, "a"), event(2, "b"), event(10, "a")), 0);
    expect(results).toHaveLength(2);
    expect(results[0]?.window).toBe(results[1]?.window);
    expect(results[0]).toEqual({
      key: "a",
      value: 1,
      window: { id: 0, open: 0, close: 10, mergedIds: [] },
      revision: 0,
      cause: "watermark",
      complete: "unknown",
    });
  });

  test("are in order of close, for windows opened in any order", () => {
    const windower = sliding(10, { every: 5 });
    const driver = new EngineDriver({ windower, clock: eventClock("unbounded"), fold: count() });
    driver.process(batch(event(22), event(1), event(14)), 0);
    driver.finish();
    expect(driver.results.map(({ window }) => window.id)).toEqual([-1, 0, 1, 2, 3, 4]);
  });

  test("say whether the window is complete, which is asked once for each window", () => {
    const asked: [number, number][] = [];
    const completeOf = (open: number, close: number): Completeness => {
      asked.push([open, close]);
      return open === 0 ? true : { atLeast: 1, atMost: 3 };
    };
    const engine = createWindowEngine({
      windower: tumblingWindows,
      clock: eventClock(),
      fold: count(),
      completeOf,
    });
    const { results } = engine.process(batch(event(1, "a"), event(2, "b"), event(11), event(20)), 0);
    expect(results.map(({ complete }) => complete)).toEqual([true, true, { atLeast: 1, atMost: 3 }]);
    expect(asked).toEqual([
      [0, 10],
      [10, 20],
    ]);
  });

  test("of sessions have unique ids, also after restarts", () => {
    const driver = new EngineDriver({ windower: sessions, clock: eventClock(), fold: count() });
    driver.process(batch(event(1), event(1, "b")), 0);
    driver.restart(0);
    driver.process(batch(event(9), event(20)), 0);
    driver.finish();
    const ids = driver.results.map(({ window }) => window.id);
    expect(new Set(ids).size).toBe(4);
  });
});

describe("finish", () => {
  test.each([
    ["tumbling", tumblingWindows],
    ["session", sessions],
  ] as const)("no window has two first answers: what comes afterwards is late (%s)", (_, windower) => {
    for (const cause of ["end", "drain"] as const) {
      const engine = createWindowEngine({ windower, clock: eventClock(100), fold: count() });
      engine.process(batch(event(1)), 0);
      expect(engine.finish(cause).results).toMatchObject([{ cause, revision: 0, value: 1 }]);
      expect(engine.process(batch(event(1)), 0).late).toHaveLength(1);
      expect(engine.finish(cause).results).toEqual([]);
    }
  });

  test("with allowedLateness, later events make revisions", () => {
    const engine = createWindowEngine({
      windower: tumblingWindows,
      clock: eventClock(100),
      fold: count(),
      allowedLateness: 50,
    });
    engine.process(batch(event(1)), 0);
    engine.finish("end");
    expect(engine.process(batch(event(2)), 0).results).toMatchObject([
      { value: 2, revision: 1, cause: "late", previous: 1 },
    ]);
  });

  test("perKey: later events are late as well", () => {
    const engine = createWindowEngine({
      windower: tumblingWindows,
      clock: eventClock(100),
      fold: count(),
      timeModel: "perKey",
    });
    engine.process(batch(event(1)), 0);
    expect(engine.finish("end").results).toMatchObject([{ cause: "end" }]);
    expect(engine.watermarkOf("a")).toBe(Number.POSITIVE_INFINITY);
    expect(engine.process(batch(event(1)), 0).late).toHaveLength(1);
  });

  test("windows that were due before the end keep their cause", () => {
    const engine = createWindowEngine({
      windower: tumblingWindows,
      clock: eventClock(),
      fold: count(),
      pageSize: 1,
    });
    engine.process(batch(event(1, "a"), event(1, "b"), event(12)), 0);
    const causes = [engine.finish("end").results[0]?.cause];
    while (engine.pending) causes.push(engine.nextPage().results[0]?.cause);
    expect(causes).toEqual(["watermark", "end"]);
  });
});

describe("explain", () => {
  const explain = (options: object): string =>
    createWindowEngine({
      windower: tumblingWindows,
      clock: eventClock(),
      fold: count(),
      ...options,
    }).explain();

  test("says when windows are final, and what happens to late events", () => {
    expect(explain({ windower: tumbling(60_000), clock: eventClock(5_000) })).toBe(
      "Windows of 1m side by side. A window is final once an event of any key is later than its end plus 5s, or " +
        "after as much system time with nothing left to read. An event whose windows have all closed is " +
        "not counted; it leaves as late.",
    );
  });

  test.each([
    [{ idle: "never" }, /without further events it stays open/],
    [{ allowedLateness: 2_000 }, /For 2s of event time after that, a late event still changes its window/],
    [{ timeModel: "perKey" }, /before its key's watermark is late, even while its window is open/],
    [{ clock: systemTime() }, /exactly once in total, but not in the same windows/],
    [
      { clock: messageTime({ wait: "unbounded" }) },
      /Nothing is final before the input ends\. An event more than 5m ahead/,
    ],
    [{ earlyEvery: 250 }, /shown every 250ms; these early results may differ in a replay/],
    [{ windower: sessions, ordered: true }, /no pause longer than 5ms.*order of their timestamps/],
    [{ windower: sliding("1d", { every: "4h" }) }, /Windows of 1d, a new one every 4h\./],
    [{ windower: sliding(10, { every: 5 }) }, /Windows of 10ms, a new one every 5ms/],
  ])("%p", (options, expected) => {
    expect(explain(options)).toMatch(expected);
  });
});
