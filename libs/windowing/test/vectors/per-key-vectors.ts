import { NO_SESSION_ID, type BuiltInWindower } from "../../src/index.ts";
import { Fields } from "../../conformance/fields.ts";
import { windowerOf } from "../../conformance/subject.ts";
import { PerKeyOracle, type PerKeyRow } from "../oracle/per-key-oracle.ts";
import { valueOf, type PerKeyScenario, type ScenarioItem } from "./scenario.ts";

/** A vector of the kind `pipeline`: what an oracle gives for a scenario, event by event. */
export function perKeyVector(scenario: PerKeyScenario): Readonly<Record<string, unknown>> {
  const { id, clock, op, ordered, eof, items } = scenario;
  const windower = windowerOf(new Fields(scenario.windower, id));
  const waitMs = clock.wait_ms === "max" ? Number.POSITIVE_INFINITY : clock.wait_ms;
  const oracle = new PerKeyOracle({ windower, waitMs, ordered });
  const rows: PerKeyRow[] = [];
  const after: (number | "eof")[] = [];
  const late: unknown[] = [];
  const lateAfter: number[] = [];
  const take = (when: number | "eof", made: readonly PerKeyRow[]): void => {
    rows.push(...made);
    for (const _ of made) after.push(when);
  };
  items.forEach((item, index) => {
    take(index, step(oracle, item));
    for (const { key, ts, value } of oracle.late.splice(0)) {
      for (const missed of idsAt(windower, ts)) {
        late.push([key, [missed, value]]);
        lateAfter.push(index);
      }
    }
  });
  if (eof) take("eof", oracle.finish());
  return {
    ...scenario,
    kind: "pipeline",
    expected_down: rows.map((row) => [row.key, [row.id, valueOf(op, row.value)]]),
    expected_late: late,
    expected_meta: rows.map(({ key, id: window, open, close, mergedIds }) => [
      key,
      [window, { open_ms: open, close_ms: close, merged_ids: mergedIds }],
    ]),
    emitted_after_item: { down: after, late: lateAfter, meta: after },
  };
}

function step(oracle: PerKeyOracle, item: ScenarioItem): readonly PerKeyRow[] {
  if (!("key" in item)) return oracle.advance(item.now_ms);
  const { key, ts_ms: ts, value, now_ms: now } = item;
  return oracle.process([{ key, ts, value }], now);
}

function idsAt(windower: BuiltInWindower, timestamp: number): readonly number[] {
  return windower.kind === "session" ? [NO_SESSION_ID] : windower.idsAt(timestamp);
}
