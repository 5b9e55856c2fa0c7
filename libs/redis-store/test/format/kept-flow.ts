import { Dataflow } from "@millrace/dataflow";
import type { Sink, Source } from "@millrace/dataflow";
import { aggregate, count, eventTime, session, sum, tumbling } from "@millrace/windowing";

/** An event of the flow whose state is kept as a fixture. */
export interface KeptEvent {
  readonly id: string;
  readonly user: string;
  readonly at: number;
  readonly amount: number;
}

const DAY = 86_400_000;

/** What was committed in the fixtures. */
export const BEFORE: readonly KeptEvent[] = [
  { id: "1", user: "ann", at: 1_000, amount: 3 },
  { id: "2", user: "bob", at: 2_000, amount: 5 },
  { id: "3", user: "ann", at: 3_000, amount: 7 },
  { id: "3", user: "ann", at: 3_000, amount: 7 },
];

/** What the run over a fixture reads; the first event was seen before. */
export const AFTER: readonly KeptEvent[] = [
  { id: "2", user: "bob", at: 2_000, amount: 5 },
  { id: "4", user: "bob", at: 4_000, amount: 11 },
  { id: "5", user: "cid", at: 2 * DAY, amount: 13 },
];

/** A flow with state of every kind. @param visits `false`: the version before it had sessions */
export function keptFlow(source: Source<KeptEvent>, rows: Sink<unknown>, { visits = true } = {}): Dataflow {
  const flow = new Dataflow("kept");
  const keyed = flow
    .input("in", source)
    .deduplicate("seen", ({ id }) => id, { within: "7d", at: ({ at }) => at })
    .keyBy("user");
  const clock = eventTime<KeptEvent>(({ at }) => at, { wait: 0, maxFuture: "unbounded" });
  const days = keyed.window("days", tumbling("1d"), clock, { allowedLateness: "1h" });
  days.count("events").output("count_rows", rows);
  days.distinct("amounts", ({ amount }) => amount).output("distinct_rows", rows);
  days
    .fold("both", aggregate({ events: count(), sum: sum((event: KeptEvent) => event.amount) }))
    .output("both_rows", rows);
  days
    .reduce(
      "largest",
      ({ amount }) => amount,
      (a, b) => Math.max(a, b),
    )
    .output("reduce_rows", rows);
  if (visits) keyed.window("visits", session("1h"), clock).count().output("session_rows", rows);
  keyed
    .window("own_time", tumbling("1d"), clock, { timeModel: "perKey" })
    .count()
    .output("per_key_rows", rows);
  keyed
    .statefulMap(
      "total",
      () => 0,
      (total, { amount }, key) => [total + amount, { key, total: total + amount }],
    )
    .output("total_rows", rows);
  return flow;
}
