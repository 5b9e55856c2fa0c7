import { JsonlFileSink, JsonlFileSource, StdinSource, StdoutSink, mapRows } from "@millrace/dataflow";
import type { RawLine, Sink, Source } from "@millrace/dataflow";
import { STDIN } from "../publish/events-file.ts";
import { RedisStreamResultSink } from "@millrace/redis-store";
import type { LateEvent, RefusedEvent } from "@millrace/windowing";
import type { RedisStore } from "@millrace/redis-store";
import type { RunConfig } from "../options/run-options.ts";
import type { FlowParts } from "../flows/flow-parts.ts";
import { rowOf } from "../flows/row-of.ts";
import { TerminalSink } from "./terminal-sink.ts";
import { RedisPubSubSource, RedisStreamSource } from "@millrace/redis-source";

/** The sinks that the configuration names; those in Redis are the store's. */
export function sinksOf(
  config: RunConfig,
  store: RedisStore | undefined,
): Pick<FlowParts, "results" | "out" | "late"> {
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
  const notice = config.transport.transport === "sharded" ? "spublish" : "publish";
  const { resultTtlMs: ttlMs } = config;
  return {
    results: store.results({ row: rowOf(true), notice, ...(ttlMs === Infinity ? {} : { ttlMs }) }),
    out: new RedisStreamResultSink(store, { notice }),
    ...late,
  };
}

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
