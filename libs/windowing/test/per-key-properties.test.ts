import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { collectList, eventTime, type WindowResult } from "../src/index.ts";
import { PerKeyOracle, type PerKeyRow } from "./oracle/per-key-oracle.ts";
import type { OracleEvent } from "./oracle/stream-oracle.ts";
import { EngineDriver } from "./support/engine-driver.ts";
import { batchOf, scripts, windowers } from "./support/scripts.ts";

/** A larger `PROPERTY_RUNS` finds what is rarer. */
const RUNS = Number(process.env["PROPERTY_RUNS"] ?? 120);

function sorted(rows: readonly PerKeyRow[]): PerKeyRow[] {
  const text = (row: PerKeyRow): string => JSON.stringify([row.key, row.close, row.open, row.value]);
  return [...rows].sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

describe("time model perKey, against an oracle that keeps all events", () => {
  test("emits the same rows, late events and counts, with any batches, pages, commits and restarts", () => {
    const waits = fc.oneof(fc.constantFrom(0, 5, 20), fc.constant("unbounded" as const));
    const maxima = fc.constantFrom(Number.POSITIVE_INFINITY, 1, 2, 3);
    const pageSizes = fc.constantFrom(Number.POSITIVE_INFINITY, 1, 2);
    fc.assert(
      fc.property(
        windowers,
        waits,
        fc.boolean(),
        maxima,
        pageSizes,
        scripts,
        (windower, waitMs, ordered, maxOrderedEvents, pageSize, actions) => {
          const oracle = new PerKeyOracle({
            windower,
            waitMs: waitMs === "unbounded" ? Number.POSITIVE_INFINITY : waitMs,
            ordered,
            maxWaiting: maxOrderedEvents,
          });
          const driver = new EngineDriver(
            {
              timeModel: "perKey",
              windower,
              ordered,
              maxOrderedEvents,
              pageSize,
              clock: eventTime(({ ts }: OracleEvent) => ts, { wait: waitMs, maxFuture: "unbounded" }),
              fold: collectList((event: OracleEvent) => event),
            },
            (self) => {
              self.restart();
            },
          );
          // Unordered, a key's values are in order of arrival; sessions that merge may change the order.
          const rowOf = (result: WindowResult<readonly OracleEvent[]>): PerKeyRow => {
            const { key, window, cause, revision, overflow } = result;
            expect(revision).toBe(0);
            const value = ordered
              ? result.value
              : [...result.value].sort((a, b) => a.ts - b.ts || a.value - b.value);
            return {
              key,
              id: Number(window.id),
              open: window.open,
              close: window.close,
              mergedIds: window.mergedIds.map(Number),
              cause,
              value: value.map((event) => event.value),
              overflow,
            };
          };
          for (const action of actions) {
            if (action.do === "commit") driver.commit();
            else if (action.do === "restart") {
              driver.restart(action.now);
              oracle.restart(action.now);
            }
            if (action.do === "commit") continue;
            const [actual, expected] =
              action.do === "process"
                ? [
                    driver.process(batchOf(action.events), action.now),
                    oracle.process(action.events, action.now),
                  ]
                : [driver.advance(action.now), oracle.advance(action.now)];
            expect(sorted(actual.map(rowOf))).toEqual(sorted(expected));
          }
          expect(sorted(driver.finish().map(rowOf))).toEqual(sorted(oracle.finish()));
          expect(driver.late.map(({ value }) => value)).toEqual(oracle.late);
          const { counted, late, overflowedValues } = driver.engine.stats();
          expect([counted, late]).toEqual([oracle.counted, oracle.late.length]);
          expect(overflowedValues).toBe(driver.results.reduce((sum, { overflow = 0 }) => sum + overflow, 0));
        },
      ),
      { numRuns: RUNS },
    );
  });

  test("each wake closes something, and no wake is missing", () => {
    fc.assert(
      fc.property(windowers, fc.constantFrom(0, 5, 20), scripts, (windower, waitMs, actions) => {
        const driver = new EngineDriver({
          timeModel: "perKey",
          windower,
          clock: eventTime(({ ts }: OracleEvent) => ts, { wait: waitMs, maxFuture: "unbounded" }),
          fold: collectList(({ value }: OracleEvent) => value),
        });
        let now = 0;
        for (const action of actions) {
          if (action.do === "process") driver.process(batchOf(action.events), action.now);
          now = action.now;
        }
        driver.advance(now);
        for (let wake = driver.engine.nextWake(now); wake !== undefined; wake = driver.engine.nextWake(now)) {
          expect(wake.needs).toBe("time");
          expect(wake.at).toBeGreaterThan(now);
          expect(driver.advance(wake.at - 1)).toEqual([]);
          expect(driver.advance(wake.at).length).toBeGreaterThan(0);
          now = wake.at;
        }
        expect(driver.finish()).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
