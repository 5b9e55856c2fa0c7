import { describe, expect, test } from "@jest/globals";

import {
  WindowSpecError,
  collectList,
  createWindowEngine,
  session,
  systemTime,
  tumbling,
  type TimeModel,
} from "../src/index.ts";
import { batch, event, type TestEvent } from "./support/events.ts";

const windower = tumbling(10);
const fold = collectList(({ value }: TestEvent) => value);

describe.each<TimeModel>(["stream", "perKey"])(
  "a window on the system clock may wait for producers (%s)",
  (timeModel) => {
    function build(settleMs: number, gapMs?: number) {
      const news = { at: Number.NEGATIVE_INFINITY };
      const engine = createWindowEngine({
        windower: gapMs === undefined ? windower : session(gapMs),
        fold,
        timeModel,
        clock: systemTime({ settle: settleMs }),
        settledUpTo: () => news.at,
        completeOf: (_, close) => (news.at >= close ? true : "unknown"),
      });
      return { engine, news };
    }

    test("it is emitted when every producer has reported", () => {
      const { engine, news } = build(100);
      engine.process(batch(event(0)), 4);
      expect(engine.advance(12).results).toEqual([]);
      expect(engine.nextWake(12)).toEqual({ at: 110, needs: "time" });
      news.at = 9;
      expect(engine.advance(13).results).toEqual([]);
      news.at = 10;
      expect(engine.nextWake(14)).toEqual({ at: 10, needs: "time" });
      expect(engine.advance(14).results).toMatchObject([{ window: { close: 10 }, complete: true }]);
      expect(engine.nextWake(14)).toBeUndefined();
    });

    test("it waits no longer than its maximum, and is then not known to be complete", () => {
      const { engine } = build(100);
      engine.process(batch(event(0)), 4);
      expect(engine.advance(109).results).toEqual([]);
      expect(engine.advance(110).results).toMatchObject([{ complete: "unknown" }]);
    });

    test("events during the wait belong to their own window, and none is late", () => {
      const { engine, news } = build(100);
      engine.process(batch(event(0, "a", 1)), 4);
      engine.process(batch(event(0, "a", 2)), 12);
      engine.process(batch(event(0, "a", 3)), 25);
      news.at = 30;
      expect(engine.advance(30).results.map(({ window, value }) => [window.close, value])).toEqual([
        [10, [1]],
        [20, [2]],
        [30, [3]],
      ]);
      expect(engine.stats()).toMatchObject({ counted: 3, late: 0 });
    });

    test("reports from the future close no window before its end", () => {
      const { engine, news } = build(100);
      news.at = 1_000_000;
      engine.process(batch(event(0)), 4);
      expect(engine.nextWake(4)).toEqual({ at: 10, needs: "time" });
      expect(engine.advance(9).results).toEqual([]);
      expect(engine.advance(10).results).toHaveLength(1);
    });

    test("sessions wait too", () => {
      const { engine, news } = build(100, 5);
      engine.process(batch(event(0)), 4);
      expect(engine.advance(50).results).toEqual([]);
      expect(engine.nextWake(50)).toEqual({ at: 110, needs: "time" });
      news.at = 20;
      expect(engine.advance(51).results).toHaveLength(1);
    });
  },
);

test("without the option it does not wait", () => {
  const engine = createWindowEngine({ windower, fold, clock: systemTime() });
  engine.process(batch(event(0)), 4);
  expect(engine.advance(10).results).toHaveLength(1);
});

test("a wait that is not a number of ms is refused", () => {
  expect(() => systemTime({ settle: -1 })).toThrow(WindowSpecError);
});

test("explain names the wait", () => {
  const engine = createWindowEngine({ windower, fold, clock: systemTime({ settle: 2_000 }) });
  expect(engine.explain()).toMatch(/passed its end and every producer has reported, or 2s later/);
});
