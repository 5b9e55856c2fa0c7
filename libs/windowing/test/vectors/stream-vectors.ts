import { windowerOf } from "../../conformance/subject.ts";
import { Fields } from "../../conformance/fields.ts";
import { StreamOracle, type OracleRow } from "../oracle/stream-oracle.ts";
import { valueOf, type ScenarioItem, type StreamScenario } from "./scenario.ts";

/** A vector of the kind `stream`: what an oracle gives for a scenario, event by event. */
export function streamVector(scenario: StreamScenario): Readonly<Record<string, unknown>> {
  const { id, clock, windower, op, ordered = false, eof, items } = scenario;
  const oracle = new StreamOracle({
    windower: windowerOf(new Fields(windower, id)),
    waitMs: clock.wait_ms === "unbounded" ? Number.POSITIVE_INFINITY : clock.wait_ms,
    idle: scenario.idle,
    allowedLateness: scenario.allowed_lateness_ms,
    ordered,
    fold: { result: (values) => valueOf(op, values), overflow: () => 0 },
    isBad: () => false,
  });
  const rows: OracleRow[] = [];
  const after: (number | "end")[] = [];
  const take = (when: number | "end", made: readonly OracleRow[]): void => {
    rows.push(...made);
    for (const _ of made) after.push(when);
  };
  items.forEach((item, index) => {
    take(index, step(oracle, item));
  });
  if (eof) take("end", oracle.finish());
  return {
    ...scenario,
    kind: "stream",
    expected_results: rows.map((row) => [row.key, resultOf(row)]),
    emitted_after_item: after,
    expected_late: oracle.late.map(({ key, ts, value }) => [key, ts, value]),
    counted: oracle.counted,
    late: oracle.late.length,
  };
}

function step(oracle: StreamOracle, item: ScenarioItem): readonly OracleRow[] {
  if ("key" in item) {
    const { key, ts_ms: ts, value, now_ms: now } = item;
    return oracle.process([{ key, ts, value }], now);
  }
  if ("drained" in item) return oracle.drained(item.now_ms);
  // A restart takes no time: what has passed since the last item passed before it.
  oracle.advance(item.now_ms);
  return [];
}

function resultOf({ id, open, close, value, revision, cause }: OracleRow): unknown {
  return { ...(id === undefined ? {} : { id }), open_ms: open, close_ms: close, value, revision, cause };
}
