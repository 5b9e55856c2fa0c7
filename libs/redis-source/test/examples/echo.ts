import { Dataflow } from "@millrace/dataflow";
import { RedisPubSubSink, RedisPubSubSource } from "@millrace/redis-source";
import type { RedisConnectionOptions } from "@millrace/redis-source";

/** Publishes everything that comes on one channel on another. */
export function echo(redis: RedisConnectionOptions): Dataflow {
  const flow = new Dataflow("echo");
  flow
    .input("clicks", new RedisPubSubSource(redis, { channel: "device_events" }))
    .output("copies", new RedisPubSubSink(redis, { channel: "copies" }));
  return flow;
}
