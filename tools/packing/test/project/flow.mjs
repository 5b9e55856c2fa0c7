import { Dataflow, json } from "millrace";

export const options = {
  minPrice: {
    flag: "--min-price <eur>",
    description: "orders below it are left out",
    parse: Number,
    default: 0,
  },
};

export default ({ source, windower, clock, windowing, results, options }) => {
  const flow = new Dataflow("orders");
  flow
    .input("orders", source)
    .decode(json())
    .filter(({ price }) => price >= options.minPrice)
    .keyBy("item")
    .window("windows", windower, clock, windowing)
    .sum("revenue", ({ price }) => price)
    .output("out", results);
  return flow;
};
