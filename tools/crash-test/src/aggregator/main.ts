import { runProgram } from "@millrace/cli";
import { StdoutSink, reconcile, run } from "@millrace/dataflow";
import type { Logger, Store } from "@millrace/dataflow";
import { RedisPubSubSource, RedisStreamSource } from "@millrace/redis-source";
import { RedisHashResultSink, RedisStore, RedisStreamResultSink } from "@millrace/redis-store";
import { CHANNEL, HISTORY, LATEST } from "../names.ts";
import type { ResultRow } from "../tally.ts";
import { withoutCommitNumber, withoutFence } from "./careless-stores.ts";
import { aggregatorSettings } from "./config.ts";
import type { AggregatorSettings } from "./config.ts";
import { Reaper } from "./death.ts";
import { withoutFlush } from "./careless-sink.ts";
import { crashFlow } from "./flow.ts";
import type { CrashFlowParts } from "./flow.ts";
import { FRAMES, FRAMES_WITHOUT_NUMBERS } from "./frames.ts";
import { wrapStore } from "./wrap-store.ts";

const MOST_ROWS = 10_000_000;

/** Reads the test's events and keeps tallies; it may be told to die, or to go without a guard. */
await runProgram("crash-aggregator", aggregatorSettings, async ({ config, logger, signal }) => {
  const flow = crashFlow({ ...config, ...endsOf(config) });
  const store = config.transport === "stream" ? storeOf(config, logger) : undefined;
  const running = run(flow, { ...config, ...(store === undefined ? {} : { store }), logger, signal });
  try {
    const { tasks } = await running.done;
    const { lost, duplicates, unaccounted, late } = reconcile(running.stats());
    const connected = tasks.map(({ source }) => source);
    logger.info({ event: "done", lost, duplicates, unaccounted, late, connected }, "done");
  } finally {
    await store?.close();
  }
});

function endsOf({
  url,
  transport,
  print,
  without,
}: AggregatorSettings): Pick<CrashFlowParts, "source" | "results" | "late"> {
  const frames = without === "duplicate-numbers" ? FRAMES_WITHOUT_NUMBERS : FRAMES;
  const stdout =
    without === "flush" ? withoutFlush(new StdoutSink<ResultRow>()) : new StdoutSink<ResultRow>();
  if (transport === "pubsub") {
    const source = new RedisPubSubSource({ url }, { channel: CHANNEL, frames });
    return { source, results: { printed: stdout }, late: new StdoutSink() };
  }
  const latest = new RedisHashResultSink<ResultRow>({
    window: (row) => row.window,
    key: (row) => row.key,
    revision: (row) => row.revision,
  });
  const history = new RedisStreamResultSink<ResultRow>({ maxLength: MOST_ROWS });
  return {
    source: new RedisStreamSource({ url }, { stream: CHANNEL, frames, blockMs: 1_000, group: "crash-test" }),
    results: { [LATEST]: latest, [HISTORY]: history, ...(print ? { printed: stdout } : {}) },
    late: new RedisStreamResultSink({ maxLength: MOST_ROWS }),
  };
}

function storeOf({ url, death, without }: AggregatorSettings, logger: Logger): Store {
  const reaper = new Reaper(death);
  const failPoint = (place: Parameters<Reaper["at"]>[0]): void => {
    reaper.at(place);
  };
  const exact = new RedisStore({ url }, { logger, failPoint });
  let store: Store = exact;
  if (without === "fence") store = withoutFence(exact);
  if (without === "commit-number") store = withoutCommitNumber(exact);
  return wrapStore(store, () => async (inner, commit) => {
    const outcome = await inner.commit(commit);
    const { number, partial } = commit;
    logger.info({ event: "committed", number, partial, outcome: outcome.kind }, `commit ${number}`);
    if (partial) reaper.at("between-pages");
    return outcome;
  });
}
