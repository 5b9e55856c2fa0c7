import { JsonlFileSource, StdinSource } from "@millrace/dataflow";
import type { RawLine, Source } from "@millrace/dataflow";
import { STDIN } from "../publish/events-file.ts";
import { RedisPubSubSource, RedisStreamSource } from "@millrace/redis-source";
import type { RunConfig } from "../options/run-options.ts";

/** The source that the configuration names. */
export function sourceOf(config: RunConfig): Source<RawLine> {
  const { file } = config;
  if (file !== undefined) return file === STDIN ? new StdinSource() : new JsonlFileSource(file);
  const { transport, channel, partitions, partitionBy: partitionedBy } = config.transport;
  const common = { partitions, ...(partitionedBy === undefined ? {} : { partitionedBy }) };
  if (transport !== "stream") {
    return new RedisPubSubSource(config.redis, { ...common, channel, transport });
  }
  const { start, trim, group = true } = config;
  return new RedisStreamSource(config.redis, { ...common, stream: channel, start, group, trim });
}
