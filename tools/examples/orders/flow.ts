import { Dataflow, count, eventTime, json, session, sum, tumbling } from "millrace";
import type { FlowParts } from "millrace";
import { z } from "zod";

const order = z.object({
  customer: z.string(),
  item: z.string(),
  cents: z.int().positive(),
  at: z.iso.datetime(),
});

/** Revenue of each minute by item, and the visits of each customer. */
export default function orders({ source, out }: FlowParts) {
  const flow = new Dataflow("orders");
  const decoded = flow.input("orders", source).decode(json(order));
  const time = eventTime("at", { wait: "10s" });

  const revenue = decoded
    .keyBy("item")
    .window("revenue", tumbling("1m"), time, { allowedLateness: "5m" })
    .sum(({ cents }) => cents);
  revenue
    .map(({ key, value, window, revision }) => ({
      minute: timeOfDay(window.open),
      item: key,
      cents: value,
      // A late order changes a row that is out already: the row comes again, with the next revision.
      ...(revision > 0 && { revision }),
    }))
    .output("revenue_out", out);
  revenue.late.map(({ value }) => ({ tooLate: value })).output("late_out", out);

  decoded
    .keyBy("customer")
    .window("visits", session("2m"), time)
    .aggregate({ orders: count(), cents: sum(({ cents }) => cents) })
    .map(({ key, value, window }) => ({ customer: key, from: timeOfDay(window.open), ...value }))
    .output("visits_out", out);

  return flow;
}

function timeOfDay(ms: number) {
  return new Date(ms).toISOString().slice(11, 19);
}
