import { Dataflow, json } from "millrace";
import type { FlowParts } from "millrace";

interface Order {
  readonly item: string;
  readonly price: number;
}

export const options = {
  minPrice: {
    flag: "--min-price <eur>",
    env: "MIN_PRICE",
    description: "orders below it are left out",
    parse: Number,
    default: 0,
  },
  loud: { flag: "--loud", description: "items in capital letters" },
};

/** Revenue by item and window. */
export default function orders(parts: FlowParts<typeof options>): Dataflow {
  const { source, windower, clock, windowing, results } = parts;
  const { minPrice, loud } = parts.options;
  const flow = new Dataflow("orders");
  flow
    .input("orders", source)
    .decode(json<Order>())
    .filter(({ price }) => price >= minPrice)
    .keyBy("item")
    .window("windows", windower, clock, windowing)
    .sum("revenue", ({ price }) => price)
    .mapValue((revenue, { key }) => ({ item: loud ? key.toUpperCase() : key, revenue }))
    .output("out", results);
  return flow;
}
