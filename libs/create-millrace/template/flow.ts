import { Dataflow, count, eventTime, json, sum, tumbling } from "millrace";
import type { FlowParts } from "millrace";
import { z } from "zod";

/** One event: a line of JSON. Lines that do not match are counted, and the log says why. */
const order = z.object({
  item: z.string(),
  cents: z.int().positive(),
  at: z.iso.datetime(),
});

/** Orders and revenue of each item, minute by minute. */
export default function orders({ source, out }: Pick<FlowParts, "source" | "out">) {
  const flow = new Dataflow("orders");
  flow
    .input("orders", source)
    .decode(json(order))
    .keyBy("item")
    // A minute closes once its end is 5 s ago, so orders may come 5 s out of order.
    .window("minutes", tumbling("1m"), eventTime("at", { wait: "5s" }))
    .aggregate({ orders: count(), cents: sum(({ cents }) => cents) })
    .map(({ key, value, window }) => ({ minute: new Date(window.open).toISOString(), item: key, ...value }))
    .output("out", out);
  return flow;
}
