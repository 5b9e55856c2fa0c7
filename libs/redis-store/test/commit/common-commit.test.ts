import { describe, expect, it } from "@jest/globals";
import { Dataflow, IterableSource, run } from "@millrace/dataflow";
import type { PartResult, Sink } from "@millrace/dataflow";
import { RedisStore, RedisStreamResultSink } from "@millrace/redis-store";
import type { FailPoint } from "@millrace/redis-store";
import { eventTime, tumbling } from "@millrace/windowing";
import { cleanUp, serverOf } from "../support/servers.ts";

const KEYS = 10_000;
const LENGTH_MS = 5_000;
/** The most events that a Redis source puts into one batch. */
const BATCH = 8_192;

interface Click {
  readonly at: number;
  readonly zone: string;
}

type Row = PartResult<number>;

/** Two windows, each with every key twice. */
function* clicks(): Generator<Click> {
  for (let i = 0; i < 4 * KEYS; i += 1) {
    yield { at: Math.floor((i * LENGTH_MS) / (2 * KEYS)), zone: `Area/City ${String(i % KEYS)}` };
  }
}

function flowTo(sink: Sink<Row>, batchSize: number): Dataflow {
  const flow = new Dataflow("common");
  flow
    .input("in", new IterableSource([...clicks()], { batchSize }))
    .keyBy("zone", ({ zone }) => zone)
    .window("windows", tumbling(LENGTH_MS), eventTime("at", { wait: 0 }))
    .count("count")
    .output("out", sink);
  return flow;
}

const hashes = (store: RedisStore): Sink<Row> => store.results();
const stream = (store: RedisStore): Sink<Row> => new RedisStreamResultSink<Row>(store);

describe("a window of 10,000 keys, with default options", () => {
  it.each([
    ["hashes", 500, hashes],
    ["hashes", BATCH, hashes],
    ["a stream", 500, stream],
    ["a stream", BATCH, stream],
  ])("is committed to %s in one script call each, from batches of %i", async (_kind, batchSize, sinkOn) => {
    const server = await serverOf();
    const passed: FailPoint[] = [];
    const store = new RedisStore({ url: server.url }, { failPoint: (name) => void passed.push(name) });
    cleanUp(() => store.close());
    await run(flowTo(sinkOn(store), batchSize), { store });
    expect(passed.length).toBeGreaterThan(20);
    expect(new Set(passed)).toEqual(new Set(["before-commit", "after-commit"]));
  });
});
