import {
  CallbackSink,
  Dataflow,
  IterableSource,
  aggregate,
  count,
  eventTime,
  run,
  sum,
  tumbling,
} from "millrace";
import type { Decoder, RawLine, WindowResults } from "millrace";
import { RedisStore, RedisStreamSource } from "millrace/redis";
import { FlowDriver, TestingSink, TestingSource } from "millrace/testing";

interface Order {
  readonly item: string;
  readonly price: number;
  readonly at: number;
}
const orders: readonly Order[] = [
  { item: "tea", price: 4, at: 1_000 },
  { item: "jam", price: 6, at: 2_000 },
  { item: "tea", price: 5, at: 61_000 },
];

// Exported without annotations, so that the compiler must find a name for every type in it.
const flow = new Dataflow("orders");
export const perMinute = flow
  .input("orders", new IterableSource(orders))
  .keyBy("item")
  .window(
    "per_minute",
    tumbling("1m"),
    eventTime(({ at }) => at, { wait: "5s" }),
  )
  .fold("totals", aggregate({ orders: count(), revenue: sum(({ price }: Order) => price) }));
perMinute
  .map(({ key, value, window }) => `${window.open} ${key} ${value.revenue}`)
  .output(
    "out",
    new CallbackSink((rows) => {
      console.log(rows.join("\n"));
    }),
  );
export const results: WindowResults<Order, { readonly orders: number; readonly revenue: number }> = perMinute;

export function redisFlow(decoder: Decoder<RawLine, Order>) {
  const redis = { url: "redis://localhost:6379" };
  const fromRedis = new Dataflow("orders");
  const decoded = fromRedis
    .input("orders", new RedisStreamSource(redis, { stream: "orders" }))
    .decode("decode", decoder);
  return { decoded, options: { store: new RedisStore(redis) } };
}

export function testedFlow() {
  const source = new TestingSource<Order>();
  const sink = new TestingSink<Order>();
  const tested = new Dataflow("tested");
  tested.input("orders", source).output("out", sink);
  return { source, sink, start: () => FlowDriver.start(tested) };
}

await run(flow);
