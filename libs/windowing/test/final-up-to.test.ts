import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import {
  count,
  createWindowEngine,
  eventTime,
  messageTime,
  session,
  systemTime,
  tumbling,
} from "../src/index.ts";
import type { OracleEvent } from "./oracle/stream-oracle.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batch, event, eventClock } from "./support/events.ts";
import { batchOf, scripts, windowers } from "./support/scripts.ts";

const windower = tumbling(10);
const fold = count();

describe("finalUpTo", () => {
  test("is unknown before the first event, then the watermark while nothing is due", () => {
    const engine = createWindowEngine({ windower, fold, clock: eventClock(3) });
    expect(engine.finalUpTo()).toBe(Number.NEGATIVE_INFINITY);
    engine.process(batch(event(8)), 100);
    expect(engine.finalUpTo()).toBe(5);
  });

  test("stays before a window's close until the last page of its rows is emitted", () => {
    const engine = createWindowEngine({ windower, fold, clock: eventClock(), pageSize: 1 });
    engine.process(batch(event(1, "a"), event(2, "b"), event(3, "c"), event(25)), 0);
    expect([engine.pending, engine.finalUpTo()]).toEqual([true, 9]);
    engine.nextPage();
    expect([engine.pending, engine.finalUpTo()]).toEqual([true, 9]);
    engine.nextPage();
    expect([engine.pending, engine.finalUpTo()]).toEqual([false, 25]);
  });

  test("stays before a session's close until the last page of rows is emitted", () => {
    const engine = createWindowEngine({
      windower: session(5),
      fold,
      clock: eventClock(),
      pageSize: 1,
    });
    engine.process(batch(event(1, "a"), event(2, "b"), event(3, "c"), event(1_000)), 0);
    expect([engine.pending, engine.finalUpTo()]).toEqual([true, 1]);
    engine.nextPage();
    expect([engine.pending, engine.finalUpTo()]).toEqual([true, 2]);
    engine.nextPage();
    expect([engine.pending, engine.finalUpTo()]).toEqual([false, 994]);
  });

  test("advances with each proof of drained, and with the system clock", () => {
    const onEvents = createWindowEngine({ windower, fold, clock: eventClock() });
    onEvents.process(batch(event(8)), 100);
    onEvents.drained(110);
    expect(onEvents.finalUpTo()).toBe(18);
    onEvents.drained(1_100);
    expect(onEvents.finalUpTo()).toBe(1_008);

    for (const timeModel of ["stream", "perKey"] as const) {
      const onSystem = createWindowEngine({ windower, fold, timeModel, clock: systemTime() });
      onSystem.process(batch(event(0)), 5);
      onSystem.advance(5_000);
      expect(onSystem.finalUpTo()).toBe(5_000);
    }
  });

  test("begins without an event at what producers reported, if events have timestamps", () => {
    let heard = Number.NEGATIVE_INFINITY;
    const settledUpTo = (): number => heard;
    const byMessage = createWindowEngine({
      windower,
      fold,
      clock: messageTime({ wait: 3 }),
      settledUpTo,
    });
    byMessage.drained(5_000);
    expect(byMessage.finalUpTo()).toBe(Number.NEGATIVE_INFINITY);
    // No producer is waited for, since none was heard: that is no time.
    heard = Number.POSITIVE_INFINITY;
    byMessage.drained(5_500);
    expect(byMessage.finalUpTo()).toBe(Number.NEGATIVE_INFINITY);
    heard = 1_000;
    byMessage.drained(6_000);
    expect(byMessage.finalUpTo()).toBe(997);
    byMessage.drained(6_500);
    expect(byMessage.finalUpTo()).toBe(1_497);
    // What was published since by the same clocks is not late.
    const { late } = byMessage.process({ keys: ["a"], values: [1], times: [1_500] }, 7_000);
    expect(late).toEqual([]);

    const byEvent = createWindowEngine({ windower, fold, clock: eventClock(3), settledUpTo });
    byEvent.drained(6_000);
    expect(byEvent.finalUpTo()).toBe(Number.NEGATIVE_INFINITY);
  });

  test("of sessions is before the last event of any session that may still be emitted", () => {
    const engine = createWindowEngine({
      windower: session(5),
      fold,
      clock: eventClock(),
    });
    engine.process(batch(event(10)), 0);
    expect(engine.finalUpTo()).toBe(4);
    // Not late: an event a gap before the watermark is in time, and closes with it.
    engine.process(batch(event(5, "b")), 0);
    expect(engine.stats().late).toBe(0);
    expect(engine.finish("end").results.map(({ window }) => window.close)).toEqual([5, 10]);
    expect(engine.finalUpTo()).toBe(10);
  });

  test("is unknown for perKey on event clocks: a new key may begin at any time", () => {
    const engine = createWindowEngine({ windower, fold, timeModel: "perKey", clock: eventClock() });
    engine.process(batch(event(100)), 0);
    expect(engine.finalUpTo()).toBe(Number.NEGATIVE_INFINITY);
    expect(engine.process(batch(event(1, "b"), event(10, "b")), 0).results).toMatchObject([{ key: "b" }]);
  });

  test("never passes a window whose first result is not emitted yet", () => {
    fc.assert(
      fc.property(
        windowers,
        fc.constantFrom<"events" | "system">("events", "system"),
        fc.constantFrom<"stream" | "perKey">("stream", "perKey"),
        fc.constantFrom(0, 5),
        fc.constantFrom(0, 0, 15),
        fc.constantFrom(1, 2, Number.POSITIVE_INFINITY),
        scripts,

        (given, clock, timeModel, waitMs, lateness, pageSize, actions) => {
          let promised = Number.NEGATIVE_INFINITY;
          let emitted = 0;
          const look = (driver: EngineDriver<OracleEvent, number, number>): void => {
            promised = Math.max(promised, driver.engine.finalUpTo());
          };
          const driver = new EngineDriver<OracleEvent, number, number>(
            {
              windower: given,
              clock:
                clock === "system"
                  ? systemTime({ settle: waitMs })
                  : eventTime(({ ts }) => ts, { wait: waitMs, maxFuture: "unbounded" }),
              timeModel,
              fold,
              pageSize,
              allowedLateness: timeModel === "stream" ? lateness : 0,
            },
            (self) => {
              look(self);
              self.commit();
            },
          );
          for (const action of actions) {
            const before = promised;
            if (action.do === "process") driver.process(batchOf(action.events), action.now);
            else if (action.do === "restart") driver.restart(action.now);
            else driver.drained(action.now);
            const rows = driver.results.slice(emitted);
            emitted = driver.results.length;
            for (const { window, revision, cause } of rows) {
              if (revision === 0 && cause !== "late") expect(window.close).toBeGreaterThan(before);
            }
            look(driver);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
