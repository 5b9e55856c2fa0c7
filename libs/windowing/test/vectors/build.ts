import type { EventItem, Instant, ScenarioItem, WindowerSpec } from "./scenario.ts";

export function tumbling(length_ms: number, align_to_ms = 0): WindowerSpec {
  return { type: "tumbling", length_ms, align_to_ms };
}

export function sliding(length_ms: number, offset_ms: number, align_to_ms = 0): WindowerSpec {
  return { type: "sliding", length_ms, offset_ms, align_to_ms };
}

export function session(gap_ms: number): WindowerSpec {
  return { type: "session", gap_ms };
}

/** An event that arrives at its own time, by default. Its value is its time, so that lists can be read. */
export function event(key: string, ts_ms: number, now_ms: number = ts_ms, value: number = ts_ms): EventItem {
  return { key, ts_ms, value, now_ms };
}

/** Events that arrive together. */
export function together(batch: number, now_ms: number, ...events: readonly EventItem[]): ScenarioItem[] {
  return events.map((each) => ({ ...each, now_ms, batch }));
}

export function drained(now_ms: number): Instant {
  return { drained: true, now_ms };
}

export function tick(now_ms: number): Instant {
  return { tick: true, now_ms };
}

export function restart(now_ms: number): Instant {
  return { restart: true, now_ms };
}
