import { describe, expect, it } from "@jest/globals";
import { Dataflow, SYSTEM_TIME, run } from "@millrace/dataflow";
import type { Decoder, RawLine } from "@millrace/dataflow";
import { freePort, startRedisSentinel } from "@millrace/local-redis";
import { RedisReplicaError, RedisStreamSource, RedisUnreachableError } from "@millrace/redis-source";
import { RedisStore, RedisStreamResultSink, StoreUnavailableError, inspectTask } from "@millrace/redis-store";
import { GroupKeys } from "../src/assignment/group-keys.ts";
import { RedisLeaseTable } from "../src/assignment/redis-lease-table.ts";
import { TASK, commitOf } from "./support/commits.ts";
import { HurriedTime } from "./support/hurried-time.ts";
import { cleanUp, clientOf, rowsIn, serverOf, storeOf } from "./support/servers.ts";
import { warnings } from "./support/warnings.ts";

describe("without a Redis", () => {
  it("the start fails after connectTimeoutMs, whatever storeTimeoutMs is", async () => {
    const port = await freePort();
    const redis = { url: `redis://127.0.0.1:${port}`, connectTimeoutMs: 200 };
    const store = new RedisStore(redis);
    cleanUp(() => store.close());
    for (const start of [() => store.acquire(TASK), () => store.look(TASK), () => inspectTask(redis, TASK)]) {
      const failure: unknown = await start().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(RedisUnreachableError);
      expect(String(failure)).toMatch(/No Redis at 127.0.0.1:\d+: connect ECONNREFUSED/);
    }
  });

  it("a task that is opened later waits, if the store was reached before", async () => {
    const server = await serverOf();
    const logger = warnings();
    const connection = { url: server.url, connectTimeoutMs: 500 };
    const store = new RedisStore(connection, { storeTimeoutMs: 20_000, logger });
    cleanUp(() => store.close());
    await store.look(TASK);
    const lost = logger.next("redis-lost");
    await server.kill();
    const acquiring = store.acquire(TASK);
    await lost;
    await server.restart();
    expect((await acquiring).fence).toBeGreaterThan(0);
  });
});

describe("a server that becomes a replica", () => {
  it("is refused at the start", async () => {
    const primary = await serverOf();
    const replica = await serverOf({ args: ["--replicaof", primary.host, String(primary.port)] });
    await expect(storeOf(replica).acquire(TASK)).rejects.toBeInstanceOf(RedisReplicaError);
  });

  it("is waited for during a run, and the log says so once", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const logger = warnings();
    const task = await storeOf(server, { logger }).acquire(TASK);
    await task.commit(commitOf(1));
    // A primary that does not exist: the data stays.
    await client.replicaof("127.0.0.1", await freePort());
    const refused = logger.next("redis-not-ready");
    const committing = task.commit(commitOf(2));
    await refused;
    await client.replicaof("NO", "ONE");
    expect(await committing).toMatchObject({ kind: "applied" });
    expect(logger.events).toEqual(["redis-lost", "redis-not-ready"]);
    expect(logger.messages[0]).toMatch(
      /lost \(store\): READONLY You can't write against a read only replica/,
    );
    expect(logger.messages[1]).toMatch(/is a replica. Name the master instead/);
  });

  it("is named after storeTimeoutMs", async () => {
    const server = await serverOf();
    const time = new HurriedTime();
    const logger = warnings();
    const task = await storeOf(server, { time, logger, storeTimeoutMs: 60_000 }).acquire(TASK);
    const replica = logger.next("redis-not-ready");
    await clientOf(server).replicaof("127.0.0.1", await freePort());
    const failed = expect(task.commit(commitOf(1))).rejects.toMatchObject({
      code: StoreUnavailableError.code,
      message: expect.stringMatching(/within 60000 ms: Redis at .* is a replica/),
    });
    await replica;
    time.skip(60_000);
    await failed;
  });
});

interface Click {
  readonly zone: string;
  readonly id: number;
}

const DECODER: Decoder<RawLine, Click> = {
  decode: (raw) => ({ kind: "event", event: JSON.parse(String(raw)) as Click }),
};

describe("a failover to a replica that lags", () => {
  it("rolls commits back, and the rows of the run are still there exactly once", async () => {
    const group = await startRedisSentinel();
    cleanUp(() => group.stop());
    const first = clientOf(await group.master());
    const clicks = Array.from({ length: 400 }, (_, id) => ({ zone: ["Lima", "Oslo"][id % 2], id }));
    for (const click of clicks) await first.xadd("clicks", "*", "data", JSON.stringify(click));
    const logger = warnings();
    let [commits, failedOver] = [0, false];
    const store = new RedisStore(
      { url: group.url },
      {
        logger,
        failPoint: async (name) => {
          if (name === "after-commit") commits += 1;
          if (name === "after-commit" && commits === 3) await group.stopReplication();
          if (name === "before-commit" && commits === 6 && !failedOver) {
            failedOver = true;
            await group.failOver();
          }
        },
      },
    );
    cleanUp(() => store.close());
    // The heartbeats of its workers follow the failover, too.
    const context = { flow: "clicks", parts: ["clicks"], logger, time: SYSTEM_TIME };
    const table = new RedisLeaseTable({ url: group.url }, new GroupKeys("clicks"), context);
    cleanUp(() => table.close());
    const heartbeat = { worker: "a", leaseMs: 30_000, leaving: false };
    await table.beat(heartbeat);
    const flow = new Dataflow("clicks");
    flow
      .input("in", new RedisStreamSource({ url: group.url }, { stream: "clicks", maxBatchEvents: 50 }))
      .decode("decode", DECODER)
      .keyBy("zone", "zone")
      .statefulMap<number, object>(
        "count",
        () => 0,
        (seen, click) => [seen + 1, { ...click, n: seen + 1 }],
      )
      .output("out", new RedisStreamResultSink(store));
    await run(flow, { store, commitEveryEvents: 50, exitWhenIdleMs: 100, logger });

    expect(logger.events).toContain("rolled-back");
    expect(await table.beat(heartbeat)).toMatchObject({ atMost: 1 });
    const second = clientOf(await group.master());
    const rows = await rowsIn(second, "millrace:{clicks}:clicks:results:out");
    expect(rows).toEqual(clicks.map((click) => ({ ...click, n: Math.floor(click.id / 2) + 1 })));
  }, 40_000);
});
