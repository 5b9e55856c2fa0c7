import { JsonlFileSink, StdoutSink, mapRows } from "@millrace/dataflow";
import type { Sink } from "@millrace/dataflow";
import { RedisStreamResultSink } from "@millrace/redis-store";
import type { LateEvent } from "@millrace/windowing";
import type { RedisStore } from "@millrace/redis-store";
import type { AggregatorConfig } from "./config.ts";
import type { FlowParts } from "./flows/flow-parts.ts";
import { rowOf } from "./row-of.ts";
import { TerminalSink } from "./terminal-sink.ts";

/** The sinks that the configuration names; those in Redis are the store's. */
export function sinksOf(
  config: AggregatorConfig,
  store: RedisStore | undefined,
): Pick<FlowParts, "results" | "out" | "late"> {
  const { lateFile } = config.flow;
  const late = lateFile === undefined ? {} : { late: new JsonlFileSink<LateEvent<unknown>>(lateFile) };
  if (store === undefined || config.sink === "stdout") {
    const stdout: Sink<unknown> = new StdoutSink();
    // A person reads tables; whatever reads a pipe or a file reads JSON lines.
    const row = rowOf(config.flow.meta);
    const results = process.stdout.isTTY ? new TerminalSink(process.stdout, row) : mapRows(stdout, row);
    return { results, out: stdout, ...late };
  }
  const notice = config.input.transport === "sharded" ? "spublish" : "publish";
  const { resultTtlMs: ttlMs } = config;
  return {
    results: store.results({ row: rowOf(true), notice, ...(ttlMs === Infinity ? {} : { ttlMs }) }),
    out: new RedisStreamResultSink(store, { notice }),
    ...late,
  };
}
