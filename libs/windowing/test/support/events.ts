import { eventTime, type KeyedBatch } from "../../src/index.ts";
import type { Clock } from "../../src/index.ts";

/** An event of the tests: its time, its key and a number. */
export interface TestEvent {
  readonly ts: number;
  readonly key: string;
  readonly value: number;
}

export function event(ts: number, key = "a", value = 1): TestEvent {
  return { ts, key, value };
}

/** Events as columns. */
export function batch(...events: readonly TestEvent[]): KeyedBatch<TestEvent> {
  return { keys: events.map(({ key }) => key), values: events };
}

export function eventClock(
  waitMs: number | "unbounded" = 0,
  maxFutureMs: number | "unbounded" = "unbounded",
): Clock<TestEvent> {
  return eventTime(({ ts }: TestEvent) => ts, { wait: waitMs, maxFuture: maxFutureMs });
}
