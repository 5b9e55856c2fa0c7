import { StdoutSink } from "@millrace/dataflow";
import type { Sink } from "@millrace/dataflow";
import { RedisHashResultSink, RedisStreamResultSink } from "@millrace/redis-store";
import type { RedisStore } from "@millrace/redis-store";
import type { WindowId } from "@millrace/windowing";
import type { AggregatorConfig } from "./config.ts";
import type { FlowParts } from "./flows/flow-parts.ts";
import type { ResultRow } from "./result-row.ts";
import { TerminalSink } from "./terminal-sink.ts";

/** The sinks that the configuration names; those in Redis are the store's. */
export function sinksOf(
  config: AggregatorConfig,
  store: RedisStore | undefined,
): Pick<FlowParts, "results" | "out"> {
  if (store === undefined || config.sink === "stdout") {
    const stdout: Sink<unknown> = new StdoutSink();
    // A person reads tables; whatever reads a pipe or a file reads JSON lines.
    return { results: process.stdout.isTTY ? new TerminalSink(process.stdout) : stdout, out: stdout };
  }
  const notice = config.transport.transport === "sharded" ? "spublish" : "publish";
  const { resultTtlMs: ttlMs } = config;
  return {
    results: new RedisHashResultSink<ResultRow>(store, {
      window: ({ result: { window } }) => windowName(window),
      key: ({ result: { key } }) => key,
      revision: ({ result: { revision } }) => revision,
      replaces: ({ result: { replaces = [] } }) => replaces,
      // A session's hash has one row: it is whole by itself. What follows early rows is written for every key again.
      correction: ({ result: { window, cause } }) => typeof window.id === "number" && cause === "late",
      notice,
      ...(ttlMs === Infinity ? {} : { ttlMs }),
    }),
    out: new RedisStreamResultSink(store, { notice }),
  };
}

/** People look windows up by time; sessions, of which each is its key's own, by their id. */
function windowName({ id, open }: { readonly id: WindowId; readonly open: number }): WindowId {
  return typeof id === "number" ? open : id;
}
