import type { RawLine, Source } from "@millrace/dataflow";
import { RedisPubSubSource, RedisStreamSource } from "@millrace/redis-source";
import type { AggregatorConfig } from "./config.ts";

/** The source that the configuration names. */
export function sourceOf(config: AggregatorConfig): Source<RawLine> {
  const { transport, channel, partitions, partitionBy: partitionedBy } = config.transport;
  const common = { partitions, partitionedBy };
  if (transport !== "stream") {
    return new RedisPubSubSource(config.redis, { ...common, channel, transport });
  }
  const { start, trim, group = true } = config;
  return new RedisStreamSource(config.redis, { ...common, stream: channel, start, group, trim });
}
