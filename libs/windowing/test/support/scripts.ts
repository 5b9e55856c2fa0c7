import fc from "fast-check";

import { session, sliding, tumbling, type BuiltInWindower } from "../../src/index.ts";
import type { OracleEvent } from "../oracle/stream-oracle.ts";

/** What happens to an engine, in order of system time. */
export type Action =
  | { readonly do: "process"; readonly now: number; readonly events: readonly OracleEvent[] }
  | { readonly do: "drained" | "advance" | "restart" | "commit"; readonly now: number };

export const windowers: fc.Arbitrary<BuiltInWindower> = fc.oneof(
  fc
    .record({ lengthMs: fc.integer({ min: 1, max: 40 }), alignToMs: fc.integer({ min: -50, max: 50 }) })
    .map(({ lengthMs, alignToMs }) => tumbling(lengthMs, { alignTo: alignToMs })),
  fc
    .record({
      offsetMs: fc.integer({ min: 1, max: 20 }),
      moreMs: fc.integer({ min: 0, max: 40 }),
      alignToMs: fc.integer({ min: -50, max: 50 }),
    })
    .map(({ offsetMs, moreMs, alignToMs }) =>
      sliding(offsetMs + moreMs, { every: offsetMs, alignTo: alignToMs }),
    ),
  fc.integer({ min: 0, max: 30 }).map((gapMs) => session(gapMs)),
);

interface Draft {
  readonly kind: "process" | "drained" | "advance" | "restart" | "commit";
  readonly elapsedMs: number;
  readonly events: readonly { readonly key: string; readonly lagMs: number }[];
}

const drafts: fc.Arbitrary<Draft> = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant("process" as const) },
    { weight: 2, arbitrary: fc.constant("drained" as const) },
    { weight: 1, arbitrary: fc.constantFrom("advance" as const, "restart" as const, "commit" as const) },
  ),
  elapsedMs: fc.oneof(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 80 })),
  events: fc.array(
    fc.record({
      key: fc.constantFrom("a", "b", "c"),
      lagMs: fc.oneof(fc.integer({ min: -5, max: 10 }), fc.integer({ min: -20, max: 90 })),
    }),
    { minLength: 0, maxLength: 6 },
  ),
});

/** Batches, proofs of being drained, wakes, commits and restarts at random, with events out of order. */
export const scripts: fc.Arbitrary<readonly Action[]> = fc.array(drafts, { maxLength: 30 }).map((list) => {
  let now = 0;
  let value = 0;
  return list.map(({ kind, elapsedMs, events }): Action => {
    now += elapsedMs;
    if (kind !== "process") return { do: kind, now };
    return {
      do: kind,
      now,
      events: events.map(({ key, lagMs }) => ({ key, ts: now - lagMs, value: value++ })),
    };
  });
});

/** Events as columns. */
export function batchOf(events: readonly OracleEvent[]): { keys: string[]; values: OracleEvent[] } {
  return { keys: events.map(({ key }) => key), values: [...events] };
}
