import { JsonlFileSink, JsonlFileSource, StdinSource, StdoutSink, mapRows } from "@millrace/dataflow";
import type { Sink } from "@millrace/dataflow";
import { LocalLines } from "./local-lines.ts";
import type { SourceOfLines } from "./local-lines.ts";
import { STDIN } from "../publish/events-file.ts";
import type { LateEvent, RefusedEvent } from "@millrace/windowing";
import type { RedisStore } from "@millrace/redis-store";
import type { RunConfig } from "../options/run-options.ts";
import type { FlowParts } from "../flows/flow-parts.ts";
import { rowOf } from "../flows/row-of.ts";
import { TerminalSink } from "./terminal-sink.ts";
import type { KafkaSettings } from "@millrace/cli";
import { loadKafka } from "../kafka.ts";

/** The sinks that the configuration names; those in Redis are the store's. */
export async function sinksOf(
  config: RunConfig,
  store: RedisStore | undefined,
): Promise<Pick<FlowParts, "results" | "out" | "late">> {
  const { lateFile } = config.flow;
  const late =
    lateFile === undefined
      ? {}
      : { late: new JsonlFileSink<LateEvent<unknown> | RefusedEvent<unknown>>(lateFile) };
  if (store === undefined || config.sink === "stdout") {
    const stdout: Sink<unknown> = new StdoutSink();
    // A person reads tables; whatever reads a pipe or a file reads JSON lines.
    const row = rowOf(config.flow.meta);
    const results = process.stdout.isTTY ? new TerminalSink(process.stdout, row) : mapRows(stdout, row);
    return { results, out: stdout, ...late };
  }
  const { RedisStreamResultSink } = await import("@millrace/redis-store");
  const notice = config.input.transport === "sharded" ? "spublish" : "publish";
  const { resultTtlMs: ttlMs, resultsAs: version } = config;
  const common = { notice, ...(version === undefined ? {} : { version }) } as const;
  return {
    results: store.results({ row: rowOf(true), ...common, ...(ttlMs === Infinity ? {} : { ttlMs }) }),
    out: new RedisStreamResultSink(store, common),
    ...late,
  };
}

/** The options that name a source, and where it begins. */
export type SourceConfig = Pick<
  RunConfig,
  "entries" | "file" | "group" | "input" | "kafka" | "redis" | "start" | "trim"
>;

/** The source that the configuration names. */
export async function sourceOf(config: SourceConfig): Promise<SourceOfLines> {
  const { file } = config;
  if (file !== undefined) {
    return new LocalLines(file === STDIN ? new StdinSource() : new JsonlFileSource(file), file);
  }
  const { transport, channels, pattern, partitions, partitionBy } = config.input;
  if (config.kafka !== undefined) return topicOf(config, config.kafka);
  const { RedisPubSubSource, RedisStreamSource } = await import("@millrace/redis-source");
  const common = { partitions, ...(partitionBy === undefined ? {} : { partitionedBy: partitionBy }) };
  if (transport !== "stream") {
    const from = pattern === undefined ? { channel: channels } : { pattern };
    return new RedisPubSubSource(config.redis, {
      ...common,
      ...from,
      transport: transport === "sharded" ? transport : "pubsub",
    });
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

async function topicOf(config: SourceConfig, kafka: KafkaSettings): Promise<SourceOfLines> {
  const { KafkaSource } = await loadKafka();
  const { channels, partitionBy } = config.input;
  const { start, group = true } = config;
  return new KafkaSource(kafka, {
    topic: channels[0] ?? "",
    start,
    group,
    ...(partitionBy === undefined ? {} : { partitionedBy: partitionBy }),
  });
}
