import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { count, createWindowEngine, eventTime, session, systemTime, tumbling } from "../src/index.ts";
import { batchOf, scripts, windowers } from "./support/scripts.ts";
import { batch, event, eventClock } from "./support/events.ts";
import type { OracleEvent } from "./oracle/stream-oracle.ts";

const windower = tumbling(10);

describe("nextWake", () => {
  test("is undefined before the first event, and after all windows have closed", () => {
    const engine = createWindowEngine({ windower, clock: eventClock(), fold: count() });
    expect(engine.nextWake(1_000)).toBeUndefined();
    engine.process(batch(event(1)), 50);
    engine.drained(59);
    expect(engine.nextWake(60)).toBeUndefined();
  });

  test("is the instant at which a proof of drained closes the next window", () => {
    const engine = createWindowEngine({ windower, clock: eventClock(3), fold: count() });
    engine.process(batch(event(4)), 1_000);
    expect(engine.nextWake(1_000)).toEqual({ at: 1_009, needs: "drained" });
    expect(engine.drained(1_008).results).toEqual([]);
    expect(engine.drained(1_009).results).toHaveLength(1);
  });

  test("is one ms past the gap of a session", () => {
    const engine = createWindowEngine({
      windower: session(5),
      clock: eventClock(),
      fold: count(),
    });
    engine.process(batch(event(4)), 100);
    expect(engine.nextWake(100)).toEqual({ at: 106, needs: "drained" });
    expect(engine.drained(105).results).toEqual([]);
    expect(engine.drained(106).results).toHaveLength(1);
  });

  test("is undefined if only an event can close a window", () => {
    const never = createWindowEngine({ windower, clock: eventClock(), fold: count(), idle: "never" });
    const unbounded = createWindowEngine({ windower, clock: eventClock("unbounded"), fold: count() });
    for (const engine of [never, unbounded]) {
      engine.process(batch(event(4)), 100);
      expect(engine.nextWake(100)).toBeUndefined();
      expect(engine.drained(10_000).results).toEqual([]);
    }
  });

  test("is also the instant at which a kept window can be freed", () => {
    const engine = createWindowEngine({
      windower,
      clock: eventClock(),
      fold: count(),
      allowedLateness: 30,
    });
    engine.process(batch(event(4)), 0);
    engine.drained(6);
    expect(engine.nextWake(6)).toEqual({ at: 36, needs: "drained" });
    engine.drained(36);
    expect(engine.stats().windows).toBe(0);
  });

  test("is now while rows wait for a page", () => {
    const engine = createWindowEngine({ windower, clock: eventClock(), fold: count(), pageSize: 1 });
    engine.process(batch(event(1, "a"), event(1, "b"), event(11)), 7);
    expect(engine.nextWake(8)).toEqual({ at: 8, needs: "time" });
  });

  test("an event with an old timestamp causes no busy loop", () => {
    const engine = createWindowEngine({ windower, clock: systemTime(), fold: count() });
    engine.process(batch(event(-1e12)), 1e12);
    expect(engine.nextWake(1e12)?.at).toBeGreaterThan(1e12);
  });

  test("a jump of the system clock ahead and back loses no wake", () => {
    const engine = createWindowEngine({ windower, clock: systemTime(), fold: count() });
    engine.process(batch(event(0)), 100);
    engine.advance(5_000);
    engine.advance(100);
    expect(engine.nextWake(100)).toBeUndefined();
    engine.process(batch(event(0)), 100);
    expect(engine.nextWake(100)).toEqual({ at: 5_010, needs: "time" });
  });

  test.each(["stream", "perKey"] as const)(
    "a sum of fractions that rounds down causes no busy loop (%s)",
    (timeModel) => {
      const long = tumbling(79);
      const engine = createWindowEngine({ windower: long, clock: eventClock(), fold: count(), timeModel });
      // 1.841 + (703 - 625.841) is 78.99999999999999.
      engine.process(batch(event(1.841)), 625.841);
      const wake = engine.nextWake(625.841);
      expect(wake?.at).toBe(704);
      expect(engine.drained(wake?.at ?? 0).results).toHaveLength(1);
    },
  );

  test("never wakes without work, and leaves nothing open, also for fractional times", () => {
    const fractions = fc.integer({ min: 0, max: 999 }).map((micros) => micros / 1_000);
    fc.assert(
      fc.property(
        windowers,
        fc.constantFrom(0, 5),
        fc.constantFrom(0, 30),
        fractions,
        scripts,
        (given, waitMs, lateness, shift, actions) => {
          const engine = createWindowEngine({
            windower: given,
            clock: eventTime(({ ts }: OracleEvent) => ts + shift, { wait: waitMs, maxFuture: "unbounded" }),
            fold: count(),
            allowedLateness: lateness,
          });
          let now = 0;
          for (const action of actions) {
            now = action.now + shift / 2;
            if (action.do === "process") engine.process(batchOf(action.events), now);
          }
          for (let wake = engine.nextWake(now); wake !== undefined; wake = engine.nextWake(now)) {
            const { windows } = engine.stats();
            const rows = engine.drained(Math.max(now, wake.at)).results.length;
            expect(rows > 0 || engine.stats().windows < windows).toBe(true);
            now = Math.max(now, wake.at);
          }
          expect(engine.stats().windows).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});
