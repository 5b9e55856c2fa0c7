import { Dataflow, json } from "millrace";
import type { FlowParts } from "millrace";

interface Order {
  readonly item: string;
  readonly price: number;
}

export const options = {
  minPrice: { flag: "--min-price <eur>", description: "orders below it are left out", parse: Number },
  loud: { flag: "--loud", description: "items in capital letters" },
};

export default function orders({
  source,
  windower,
  clock,
  windowing,
  results,
  options: { minPrice = 0, loud },
}: FlowParts<typeof options>): Dataflow {
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
