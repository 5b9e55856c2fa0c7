import type { RawLine, Source } from "@millrace/dataflow";
import { decodeFrame, encodeFrame } from "@millrace/event-schema";
import { RedisPubSubSource, RedisStreamSource } from "@millrace/redis-source";
import type { AggregatorConfig } from "./config.ts";

const frames = { decodeFrame, encodeFrame };

/** The source that the configuration names. It takes frames and bare lines alike. */
export function sourceOf(config: AggregatorConfig, flowId: string): Source<RawLine> {
  const { transport, channel, partitions, partitionBy: partitionedBy } = config.transport;
  const common = { partitions, partitionedBy, frames };
  if (transport !== "stream") {
    return new RedisPubSubSource(config.redis, { ...common, channel, transport });
  }
  const { start, trim, group = flowId } = config;
  return new RedisStreamSource(config.redis, { ...common, stream: channel, start, group, trim });
}
