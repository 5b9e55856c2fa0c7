import { RedisPubSubSource, RedisStreamSource } from "@millrace/redis-source";
import type { AggregatorConfig } from "./config.ts";

/** The source that the configuration names. */
export function sourceOf(config: AggregatorConfig): RedisPubSubSource | RedisStreamSource {
  const { transport, channels, pattern, partitions, partitionBy } = config.input;
  const common = { partitions, ...(partitionBy === undefined ? {} : { partitionedBy: partitionBy }) };
  if (transport !== "stream") {
    const from = pattern === undefined ? { channel: channels } : { pattern };
    return new RedisPubSubSource(config.redis, { ...common, ...from, transport });
  }
  const { start, trim, group = true, entries } = config;
  return new RedisStreamSource(config.redis, {
    ...common,
    stream: channels,
    start,
    group,
    trim,
    ...(entries === undefined ? {} : { entries }),
  });
}
