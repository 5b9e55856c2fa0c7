const { CallbackSink, Dataflow, IterableSource, eventTime, run, tumbling } = require("millrace");
require("millrace/redis");
require("millrace/testing");

const orders = [
  { item: "tea", price: 4, at: 1_000 },
  { item: "jam", price: 6, at: 2_000 },
  { item: "tea", price: 5, at: 61_000 },
];
const flow = new Dataflow("orders");
flow
  .input("orders", new IterableSource(orders))
  .keyBy("item")
  .window(
    "per_minute",
    tumbling("1m"),
    eventTime(({ at }) => at, { wait: "5s" }),
  )
  .sum("revenue", ({ price }) => price)
  .map(({ key, value, window }) => `${window.open} ${key} ${value}`)
  .output("out", new CallbackSink((rows) => console.log(rows.join("\n"))));

void run(flow);
