import { runProgram } from "@millrace/cli";
import { StdoutSink, mapRows, reconcile, start } from "@millrace/dataflow";
import type { Logger, RunOptions, Store } from "@millrace/dataflow";
import { KafkaAssignment, KafkaSource } from "@millrace/kafka-source";
import { RedisPubSubSource, RedisStreamSource } from "@millrace/redis-source";
import { RedisAssignment, RedisStore, RedisStreamResultSink } from "@millrace/redis-store";
import { CHANNEL, HISTORY, LATEST } from "../names.ts";
import { rowOf } from "../tally.ts";
import type { ResultRow } from "../tally.ts";
import { carelessly } from "./careless-assignment.ts";
import { withoutCommitNumber, withoutFence } from "./careless-stores.ts";
import { aggregatorSettings } from "./config.ts";
import type { AggregatorSettings } from "./config.ts";
import { Reaper } from "./death.ts";
import { withoutFlush } from "./careless-sink.ts";
import { crashFlow } from "./flow.ts";
import type { CrashFlowParts } from "./flow.ts";
import { wrapStore } from "./wrap-store.ts";

const MOST_ROWS = 10_000_000;

/** Reads the test's events and keeps tallies. Options make it kill itself, or switch a guard off. */
await runProgram("crash-aggregator", aggregatorSettings, async ({ config, logger, signal }) => {
  const exact = config.transport === "pubsub" ? undefined : storeOf(config, logger);
  const flow = crashFlow({ ...config, ...endsOf(config, exact) });
  const store = exact && wayOf(exact, config, logger);
  const running = start(flow, {
    ...config,
    ...(store === undefined ? {} : { store }),
    ...assignmentOf(config, logger),
    logger,
    signal,
  });
  try {
    const { tasks } = await running.done;
    const { lost, duplicates, unaccounted, late } = reconcile(running.stats());
    const connected = tasks.map(({ source }) => source);
    logger.info({ event: "done", lost, duplicates, unaccounted, late, connected }, "done");
  } finally {
    await exact?.close();
  }
});

function assignmentOf(
  { url, transport, brokers, topic, leaseMs, without }: AggregatorSettings,
  logger: Logger,
): Pick<RunOptions, "assignment"> {
  if (leaseMs === undefined) return {};
  const assignment =
    transport === "kafka"
      ? new KafkaAssignment({ brokers }, { group: `${topic}-workers`, sessionTimeoutMs: leaseMs })
      : new RedisAssignment({ url }, { leaseMs });
  return {
    assignment: carelessly(assignment, without, (event, part) => {
      logger.info({ event, part }, `${event}: ${part}`);
    }),
  };
}

/** @param store `undefined` over Pub/Sub */
function endsOf(
  { url, transport, brokers, topic, partitions, print, without }: AggregatorSettings,
  store: RedisStore | undefined,
): Pick<CrashFlowParts, "source" | "results" | "late"> {
  const lines = new StdoutSink<ResultRow>();
  const stdout = mapRows(without === "flush" ? withoutFlush(lines) : lines, rowOf);
  if (store === undefined) {
    const source = new RedisPubSubSource({ url }, { channel: CHANNEL });
    return { source, results: { printed: stdout }, late: new StdoutSink() };
  }
  const latest = store.results({ row: rowOf });
  const history = mapRows(new RedisStreamResultSink<ResultRow>(store, { maxLength: MOST_ROWS }), rowOf);
  const partitionedBy = "os_timezone";
  return {
    source:
      transport === "kafka"
        ? new KafkaSource({ brokers }, { topic, partitionedBy })
        : new RedisStreamSource(
            { url },
            { stream: CHANNEL, partitions, partitionedBy, blockMs: 1_000, group: "crash-test" },
          ),
    results: { [LATEST]: latest, [HISTORY]: history, ...(print ? { printed: stdout } : {}) },
    late: new RedisStreamResultSink(store, { maxLength: MOST_ROWS }),
  };
}

function storeOf({ url, death }: AggregatorSettings, logger: Logger): RedisStore {
  const reaper = new Reaper(death);
  const failPoint = (place: Parameters<Reaper["at"]>[0]): void => {
    reaper.at(place);
  };
  // Stages commits of several pieces; by default only much larger ones are staged.
  return new RedisStore({ url }, { logger, failPoint, maxCallBytes: 1 });
}

/** Wraps the store: switches a guard off, logs each commit, and kills the process between pages. */
function wayOf(exact: RedisStore, { death, without }: AggregatorSettings, logger: Logger): Store {
  const reaper = new Reaper(death);
  const careless = without === "fence" ? withoutFence(exact) : exact;
  const store = without === "commit-number" ? withoutCommitNumber(exact) : careless;
  const logged = wrapStore(store, ({ part }) => async (inner, commit) => {
    const outcome = await inner.commit(commit);
    const { number, partial } = commit;
    const fields = { part, fence: inner.fence, number, partial, outcome: outcome.kind };
    logger.info({ event: "committed", ...fields }, `commit ${number}`);
    if (partial) reaper.at("between-pages");
    return outcome;
  });
  // The rows are those of the innermost store.
  return { ...logged, wraps: exact };
}
