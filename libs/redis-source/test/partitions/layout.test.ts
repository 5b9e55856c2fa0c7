import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import type { SinkPartition, SourcePartition } from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import { freePort, startLoopbackProxy, startRedis, startRedisCluster } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import {
  PartitionLayoutError,
  RedisPubSubSink,
  RedisPubSubSource,
  RedisStreamSink,
  RedisStreamSource,
} from "@millrace/redis-source";
import type { PublishRow, RedisConnectionOptions } from "@millrace/redis-source";
import { frameOf } from "../support/frames.ts";
import { passTimeUntil } from "../support/pass-time.ts";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { take } from "../support/take.ts";
import { until } from "../support/until.ts";

let server: LocalRedis;
let redis: Redis;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
});

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
  await redis.flushall();
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

type Transport = "pubsub" | "sharded" | "stream";

interface Division {
  readonly partitions?: number;
  readonly by?: string;
  readonly framed?: boolean;
}

interface Place {
  readonly at?: RedisConnectionOptions;
  readonly context?: TestContext;
}

type Published = Division & { readonly relayout?: boolean };

/** Publishes on `clicks`. */
function sinkOf(
  transport: Transport,
  { partitions = 1, by, framed = false, relayout = false }: Published,
  at: RedisConnectionOptions = { url: server.url },
): RedisPubSubSink | RedisStreamSink {
  const common = {
    partitions,
    relayout,
    keyOf: String,
    lingerMs: 0,
    ...(by === undefined ? {} : { partitionedBy: by }),
    frames: framed,
  };
  return transport === "stream"
    ? new RedisStreamSink(at, { stream: "clicks", ...common })
    : new RedisPubSubSink(at, { channel: "clicks", transport, ...common });
}

/** Starts to publish on `clicks`. */
async function publish(
  transport: Transport,
  division: Published,
  { at, context = partContext() }: Place = {},
): Promise<SinkPartition<PublishRow>> {
  const part = await sinkOf(transport, division, at).buildPart("0", undefined, context);
  open.push(part);
  return part;
}

/** Starts to read the first partition of `clicks`. */
async function read(
  transport: Transport,
  { partitions = 1, by }: Division,
  { at = { url: server.url }, context = partContext() }: Place = {},
): Promise<SourcePartition<PublishRow>> {
  const common = {
    partitions,
    ...(by === undefined ? {} : { partitionedBy: by }),
  };
  const source =
    transport === "stream"
      ? new RedisStreamSource(at, { stream: "clicks", blockMs: 10, ...common })
      : new RedisPubSubSource(at, { channel: "clicks", transport, ...common });
  const [first = ""] = await source.listParts();
  const partition = await source.buildPart(first, undefined, context);
  open.push(partition);
  return partition;
}

const transports: Transport[] = ["pubsub", "sharded", "stream"];

function refusal(...parts: string[]): { code: string; message: unknown } {
  return {
    code: "MILLRACE_REDIS_LAYOUT_DIFFERS",
    message: expect.stringMatching(new RegExp(parts.join(".*"), "s")),
  };
}

describe.each(transports)("on %s", (transport) => {
  it.each<[string, Division, Division, string, string]>([
    ["fewer partitions", { partitions: 4 }, { partitions: 2 }, "4 partitions", "2 partitions"],
    ["one partition", { partitions: 4 }, {}, "4 partitions", "1 partition"],
    ["several for one", {}, { partitions: 4 }, "1 partition", "4 partitions"],
    [
      "another field",
      { partitions: 4, by: "zone" },
      { partitions: 4, by: "user" },
      'field "zone"',
      'field "user"',
    ],
  ])("a reader and a publisher of %s are refused, with both layouts named", async (_, ours, theirs, a, b) => {
    await publish(transport, ours);
    await expect(read(transport, theirs)).rejects.toMatchObject(refusal(a, b, "--partitions"));
    await expect(publish(transport, theirs)).rejects.toMatchObject(
      refusal(a, b, "--relayout", `clicks:layout:${transport}`),
    );
    await read(transport, ours);
    await publish(transport, ours);
  });

  it("the check of a publisher's start changes nothing in Redis", async () => {
    const look = (division: Published): Promise<void> =>
      sinkOf(transport, { framed: true, ...division }).checkResume("0", undefined, partContext());
    await look({ partitions: 4 });
    expect(await redis.keys("*")).toEqual([]);
    await publish(transport, { partitions: 4 });
    const before = (await redis.keys("*")).sort();
    await look({ partitions: 4 });
    await look({ partitions: 2, relayout: true });
    await expect(look({ partitions: 2 })).rejects.toMatchObject(refusal("4 partitions", "2 partitions"));
    expect((await redis.keys("*")).sort()).toEqual(before);
  });

  it("of two publishers that start at the same time with different layouts, one is refused", async () => {
    const begun = await Promise.allSettled([
      publish(transport, { partitions: 4 }),
      publish(transport, { partitions: 2 }),
      publish(transport, { partitions: 4 }),
      publish(transport, { partitions: 2 }),
    ]);
    const refused = begun.filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(2);
    for (const each of refused)
      expect(each.status === "rejected" && each.reason).toBeInstanceOf(PartitionLayoutError);
  });

  it.each([false, true])("a reader that was there first is refused (in frames: %s)", async (framed) => {
    const partition = await read(transport, { partitions: 2, framed });
    const batch = partition.nextBatch();
    const refused = expect(batch).rejects.toMatchObject(refusal("4 partitions", "2 partitions"));
    const part = await publish(transport, { partitions: 4, framed });
    await part.writeBatch(Array.from({ length: 100 }, (_, n) => `row ${n}`));
    await refused;
  });

  it("a heartbeat is enough", async () => {
    const partition = await read(transport, { partitions: 2, framed: true });
    const refused = expect(take(partition, 2)).rejects.toMatchObject(refusal("8 partitions", "2 partitions"));
    const heartbeat = frameOf(0, [], { attributes: { layout: "8/crc32/zone" } });
    if (transport === "stream") await redis.xadd("{clicks:0}", "*", "data", heartbeat);
    else if (transport === "sharded") await redis.spublish("{clicks:0}", heartbeat);
    else await redis.publish("{clicks:0}", heartbeat);
    await refused;
  });

  it("events of publishers without a layout, or without its field, are read", async () => {
    const partition = await read(transport, { partitions: 2, by: "zone" });
    await publish(transport, { partitions: 2 });
    if (transport === "stream") await redis.xadd("{clicks:0}", "*", "data", "a");
    else if (transport === "sharded") await redis.spublish("{clicks:0}", "a");
    else await redis.publish("{clicks:0}", "a");
    expect(await take(partition, 1)).toEqual(["a"]);
  });

  it("a layout is changed on purpose", async () => {
    const context = partContext();
    await publish(transport, { partitions: 4 });
    await publish(transport, { partitions: 2, relayout: true }, { context });
    expect(context.logger.of("layout-changed")).toHaveLength(1);
    await read(transport, { partitions: 2 });
    await expect(publish(transport, { partitions: 4 })).rejects.toThrow(PartitionLayoutError);
  });

  it("a user without permission for the key continues, with a warning", async () => {
    const rights = ["+@all", "allchannels", "~{clicks*", "~clicks"];
    await redis.acl("SETUSER", "limited", "reset", "on", ">pw", ...rights);
    const at = { url: server.url, username: "limited", password: "pw" };
    const [reading, writing] = [partContext(), partContext()];
    await publish(transport, { partitions: 2 }, { at, context: writing });
    await read(transport, { partitions: 4 }, { at, context: reading });
    for (const { logger } of [reading, writing])
      expect(logger.of("layout-unknown")).toMatchObject([{ level: "warn" }]);
  });
});

/** A renewed record is renewed again after this time. */
const RENEWAL_MS = 10_000;

/** Counts the records that wait for their next renewal, so that a test sees when one has ended. */
class RenewalTime extends VirtualTime {
  renewed = 0;

  override wakeAfter(delayMs: number, callback: () => void): () => void {
    if (delayMs === RENEWAL_MS) this.renewed += 1;
    return super.wakeAfter(delayMs, callback);
  }
}

describe("a record that Redis refuses", () => {
  const KEY = "clicks:layout:pubsub";
  let time: RenewalTime;
  let context: TestContext;

  beforeEach(() => {
    time = new RenewalTime(Date.now());
    context = partContext(time);
  });

  const said = (): readonly string[] => context.logger.entries.map(({ message }) => message);
  const pass = async (ms: number): Promise<void> => {
    const end = time.now() + ms;
    await passTimeUntil(
      time,
      () => redis.ping(),
      () => time.now() >= end,
    );
  };

  /** Lets the next renewal happen. No time passes before Redis has answered it, or it could time out on a slow machine. */
  const renewal = async (): Promise<void> => {
    const before = time.renewed;
    time.set(time.now() + RENEWAL_MS);
    await until(() => time.renewed > before);
  };
  const passUntilRecorded = async (): Promise<void> => {
    let recorded = false;
    const look = async (): Promise<void> => {
      recorded = (await redis.get(KEY)) === "1";
    };
    await passTimeUntil(time, look, () => recorded);
  };

  it("logs once that the key has another type, and what to do, and again only after a change", async () => {
    await redis.hset(KEY, "a", "1");
    await publish("pubsub", {}, { context });
    for (let i = 0; i < 4; i += 1) await renewal();
    expect(said()).toEqual([
      expect.stringMatching(
        /refuses SET on "clicks:layout:pubsub": WRONGTYPE .* rename or delete it.* Without/,
      ),
    ]);
    await redis.del(KEY);
    await renewal();
    expect(await redis.get(KEY)).toBe("1");
    await redis.del(KEY);
    await redis.hset(KEY, "a", "1");
    for (let i = 0; i < 2; i += 1) await renewal();
    expect(said()).toHaveLength(2);
  });

  it("logs no temporary failure, and records the layout later", async () => {
    await redis.config("SET", "maxmemory", "1");
    try {
      await publish("pubsub", {}, { context });
      await pass(25_000);
    } finally {
      await redis.config("SET", "maxmemory", "0");
    }
    expect(said()).toEqual([]);
    await passUntilRecorded();
  });

  it("logs nothing about the connections it opens during the run", async () => {
    const proxy = await startLoopbackProxy(server);
    open.push(proxy);
    await publish("pubsub", {}, { at: { url: proxy.url }, context });
    await proxy.close();
    await pass(15_000);
    expect(context.logger.of("redis-waiting")).toEqual([]);
  });
});

it("a publisher's start is refused without a Redis, before anything is opened", async () => {
  const at = { url: `redis://127.0.0.1:${await freePort()}`, connectTimeoutMs: 200 };
  for (const transport of transports) {
    const looked = sinkOf(transport, {}, at).checkResume("0", undefined, partContext());
    await expect(looked).rejects.toMatchObject({ code: "MILLRACE_REDIS_UNREACHABLE" });
  }
});

describe("the layout of a stream", () => {
  it("stays with its entries when the publisher has ended", async () => {
    await (await publish("stream", { partitions: 4 })).close();
    await expect(read("stream", { partitions: 2 })).rejects.toThrow(PartitionLayoutError);
  });

  it("is not checked by a reader of a single partition, as a stream of its own", async () => {
    const part = await publish("stream", { partitions: 2, framed: true });
    await part.writeBatch(Array.from({ length: 20 }, (_, n) => `row ${n}`));
    const source = new RedisStreamSource({ url: server.url }, { stream: "{clicks:1}" });
    const partition = await source.buildPart("{clicks:1}", undefined, partContext());
    open.push(partition);
    expect((await take(partition, 1)).length).toBeGreaterThan(0);
  });
});

describe("the layout of a channel", () => {
  it("expires after the last publisher has ended, and not before", async () => {
    const time = new VirtualTime(Date.now());
    const context = partContext(time);
    const first = await publish("pubsub", { partitions: 4 }, { context });
    await publish("pubsub", { partitions: 4 }, { context });
    await first.close();
    expect(await redis.get("clicks:layout:pubsub")).toBe("4/crc32/");
    await expect(publish("pubsub", { partitions: 2 })).rejects.toThrow("expires 30 s after");
    // The other one still publishes, and records it again whatever becomes of the key.
    await redis.del("clicks:layout:pubsub");
    time.set(time.now() + 10_000);
    while ((await redis.exists("clicks:layout:pubsub")) === 0);
    expect(await redis.get("clicks:layout:pubsub")).toBe("4/crc32/");
    const ttl = await redis.pttl("clicks:layout:pubsub");
    expect(ttl).toBeGreaterThan(20_000);
    expect(ttl).toBeLessThanOrEqual(30_000);
  });

  it("is renewed by a publisher that found it recorded", async () => {
    await publish("pubsub", { partitions: 4, by: "zone" });
    await redis.pexpire("clicks:layout:pubsub", 5_000);
    await publish("pubsub", { partitions: 4 });
    expect(await redis.pttl("clicks:layout:pubsub")).toBeGreaterThan(20_000);
    expect(await redis.get("clicks:layout:pubsub")).toBe("4/crc32/zone");
  });

  it("always has an expiry", async () => {
    const monitor = await redis.monitor();
    const seen: string[][] = [];
    monitor.on("monitor", (_: string, args: string[]) => seen.push(args));
    await publish("pubsub", { partitions: 4 });
    await until(() => seen.length > 0);
    monitor.disconnect();
    const set = seen.find(([name]) => name?.toUpperCase() === "SET") ?? [];
    expect(set.slice(1)).toEqual(["clicks:layout:pubsub", "4/crc32/", "NX", "GET", "PX", "30000"]);
  });

  it("is found by a reader that receives nothing", async () => {
    const time = new VirtualTime(Date.now());
    const partition = await read("pubsub", { partitions: 4 }, { context: partContext(time) });
    const refused = expect(partition.nextBatch()).rejects.toMatchObject(
      refusal("1 partition", "4 partitions"),
    );
    await publish("pubsub", {});
    time.set(time.now() + 10_000);
    await refused;
  });
});

describe.each(transports)("a layout that changes on %s", (transport) => {
  it("fails the publisher that still has the old one", async () => {
    const time = new VirtualTime(Date.now());
    const old = await publish(transport, { partitions: 4 }, { context: partContext(time) });
    await publish(transport, { partitions: 2, relayout: true });
    await old.writeBatch(["a"]);
    time.set(time.now() + 10_000);
    const flushed = async (): Promise<void> => {
      for (;;) await old.flush().then(() => nextTurn());
    };
    await expect(flushed()).rejects.toMatchObject(refusal("2 partitions", "4 partitions"));
    await expect(old.writeBatch(["b"])).rejects.toThrow(PartitionLayoutError);
  });

  it("is found by a reader of bare lines that found its own before", async () => {
    const time = new VirtualTime(Date.now());
    const first = await publish(transport, { partitions: 2 });
    const partition = await read(transport, { partitions: 2 }, { context: partContext(time) });
    await first.close();
    // What expires on a channel.
    await redis.del(`clicks:layout:${transport}`);
    const refused = expect(partition.nextBatch()).rejects.toMatchObject(
      refusal("4 partitions", "2 partitions"),
    );
    await publish(transport, { partitions: 4 });
    let over = false;
    void refused.finally(() => (over = true));
    await passTimeUntil(
      time,
      () => redis.ping(),
      () => over,
    );
    await refused;
  });
});

describe("on a cluster", () => {
  it("is kept in the slot of its own name, and found from any node", async () => {
    const cluster = await startRedisCluster();
    open.push({ close: () => cluster.stop() });
    const [first, , third] = cluster.nodes.map(({ url }) => ({ at: { url } }));
    await publish("stream", { partitions: 4 }, first);
    await expect(read("stream", { partitions: 2 }, third)).rejects.toThrow(PartitionLayoutError);
    await read("stream", { partitions: 4 }, third);
  }, 60_000);
});

it("is checked again by a reader that started before there was a Redis", async () => {
  const source = new RedisStreamSource(
    { url: server.url, connectTimeoutMs: 50 },
    { stream: "clicks", partitions: 2 },
  );
  await server.kill();
  await expect(source.buildPart("{clicks:0}", undefined, partContext())).rejects.toMatchObject({
    code: "MILLRACE_REDIS_UNREACHABLE",
  });
  await server.restart();
  await until(() => redis.status === "ready");
  await publish("stream", { partitions: 4 });
  await expect(source.buildPart("{clicks:0}", undefined, partContext())).rejects.toThrow(
    PartitionLayoutError,
  );
});
