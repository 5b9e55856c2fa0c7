import { Dataflow, json, mapRows } from "millrace";
import type { FlowParts } from "millrace";
import { z } from "zod";
import { cached } from "./cached.ts";
import { productOf } from "./products.ts";

const order = z.object({ id: z.number(), sku: z.string(), quantity: z.int().positive() });

/** Each order with the name and the price of its product, which a service has. */
export default function enrich({ source, out }: FlowParts) {
  const flow = new Dataflow("enrich", {
    deadLetter: mapRows(out, ({ step, reason, payload }) => ({
      refusedBy: step,
      why: reason.message,
      payload,
    })),
  });
  const product = cached(productOf);
  flow
    .input("orders", source)
    .decode(json(order))
    .mapAsync(
      "price",
      async ({ id, sku, quantity }) => {
        const { name, cents } = await product(sku);
        return { id, name, quantity, total: quantity * cents };
      },
      { concurrency: 4, timeout: "2s", retries: 2, backoff: "50ms", onError: "dead-letter" },
    )
    .output("out", out);
  return flow;
}
