import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedis } from "@millrace/local-redis";
import type { Json } from "@millrace/dataflow";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisPositionError } from "../../src/errors.ts";
import { RedisPubSubSink } from "../../src/pubsub/pubsub-sink.ts";
import { RedisPubSubSource } from "../../src/pubsub/pubsub-source.ts";
import type { PubSubPartition } from "../../src/pubsub/pubsub-partition.ts";
import type { RedisPubSubSourceOptions } from "../../src/pubsub/pubsub-source-options.ts";
import { frameOf } from "../support/frames.ts";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { stored } from "../support/stored.ts";
import { take } from "../support/take.ts";
import { until } from "../support/until.ts";

let server: LocalRedis;
let publisher: Redis;
let context: TestContext;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startRedis();
  publisher = new Redis(server.url);
});

afterEach(async () => {
  for (const partition of open.splice(0).reverse()) await partition.close();
});

afterAll(async () => {
  publisher.disconnect();
  await server.stop();
});

async function subscribe(
  options: Omit<RedisPubSubSourceOptions, "channel" | "pattern"> = {},
  resume?: Json,
): Promise<PubSubPartition> {
  context = partContext();
  const source = new RedisPubSubSource({ url: server.url }, { channel: "clicks", ...options });
  const partition = await source.buildPart("clicks", resume, context);
  open.push(partition);
  return partition;
}

async function publish(...messages: readonly (string | Buffer)[]): Promise<void> {
  const pipeline = publisher.pipeline();
  for (const message of messages) pipeline.publish("clicks", message);
  await pipeline.exec();
}

/** Everything published before has arrived, whether or not there is something to take. */
async function arrived(partition: PubSubPartition, messages: number): Promise<void> {
  await until(() => partition.stats().messages === messages);
}

describe("frames", () => {
  it("become events with the publish time of their frame", async () => {
    const partition = await subscribe();
    await publish(
      frameOf(0, ["a", "b"], { publishedAtMs: 7 }),
      "bare",
      frameOf(2, ["c"], { publishedAtMs: 9 }),
    );
    await arrived(partition, 3);
    expect(await partition.nextBatch()).toEqual({
      kind: "batch",
      events: ["a", "b", "bare", "c"],
      times: [7, 7, NaN, 9],
    });
    expect(partition.stats()).toMatchObject({ read: 4, lost: 0, duplicates: 0, producers: 1 });
  });

  it("stay whole: one that is larger than a batch is a batch of its own", async () => {
    const partition = await subscribe({ maxBatchEvents: 2 });
    await publish(frameOf(0, ["a"]), frameOf(1, ["b", "c", "d"]), frameOf(4, ["e"]), frameOf(5, ["f"]));
    await arrived(partition, 4);
    const batches: unknown[] = [];
    for (let i = 0; i < 3; i += 1) batches.push(await partition.nextBatch());
    expect(batches).toMatchObject([{ events: ["a"] }, { events: ["b", "c", "d"] }, { events: ["e", "f"] }]);
  });

  it("show exactly what is missing, and what came twice or late", async () => {
    const partition = await subscribe();
    const late = frameOf(1, ["b", "c"]);
    await publish(frameOf(0, ["a"]), frameOf(5, ["f"]), frameOf(5, ["f"]), late, late);
    expect(await take(partition, 4)).toEqual(["a", "f", "b", "c"]);
    expect(partition.stats()).toMatchObject({ read: 4, duplicates: 3, lost: 2, reordered: 2 });
    await publish(frameOf(10, []));
    await until(() => partition.stats().lost === 6);
    expect(partition.stats()).toMatchObject({ read: 4, messages: 6 });
  });

  it("that cannot be read are rejected, and their events leave a gap", async () => {
    const partition = await subscribe();
    await publish(frameOf(0, ["a"]), "#millrace/1 p 1 2 1000\nb", frameOf(3, ["d"]));
    expect(await take(partition, 2)).toEqual(["a", "d"]);
    expect(context.rejected).toEqual([
      { payload: Uint8Array.from(Buffer.from("#millrace/1 p 1 2 1000\nb")), code: "count-mismatch" },
    ]);
    expect(partition.stats()).toMatchObject({ read: 2, malformed: 1, lost: 2 });
  });

  it("with an implausible time or number are delivered, counted and logged, and do no harm", async () => {
    const partition = await subscribe();
    const now = Date.now();
    await publish(
      frameOf(0, ["a"], { publishedAtMs: now }),
      frameOf(9_007_199_254_740_000, ["b"], { publishedAtMs: 4_102_444_800_000 }),
      frameOf(0, ["c"], { publishedAtMs: 4_102_444_800_000, producer: "evil" }),
      frameOf(1, ["d"], { publishedAtMs: now }),
    );
    await arrived(partition, 4);
    const batch = await partition.nextBatch();
    expect(batch).toMatchObject({ events: ["a", "b", "c", "d"] });
    const times = batch.kind === "batch" ? (batch.times ?? []) : [];
    expect(Math.max(...times)).toBeLessThanOrEqual(Date.now());
    expect(partition.stats()).toMatchObject({ read: 4, suspicious: 2, lost: 0, duplicates: 0 });
    expect(context.logger.of("suspicious")).toHaveLength(1);
  });

  it("give an empty batch if all of them are duplicates, so that the task asks again whether it is drained", async () => {
    const partition = await subscribe();
    await publish(frameOf(0, ["a"]));
    await take(partition, 1);
    await publish(frameOf(0, ["a"]));
    expect(await partition.nextBatch()).toMatchObject({ events: [] });
    expect(await partition.drained()).toBeDefined();
  });

  it("without events do not interrupt a proof that the partition is drained", async () => {
    const partition = await subscribe();
    for (let first = 0; first < 50; first += 1) {
      const proof = partition.drained();
      await publish(frameOf(0, []));
      expect(await proof).toBeDefined();
    }
  });
});

describe("completeness", () => {
  it("counts what was taken, not what is queued", async () => {
    const partition = await subscribe();
    await publish(frameOf(0, ["a"], { publishedAtMs: 10 }), frameOf(1, ["b"], { publishedAtMs: 25 }));
    await arrived(partition, 2);
    expect(partition.completeness(0, 20)).toBe("unknown");
    await take(partition, 2);
    expect(partition.completeness(0, 20)).toBe(true);
    expect(partition.completeness(20, 40)).toBe("unknown");
  });

  it("follows from heartbeats, which wake no read", async () => {
    const partition = await subscribe();
    const batch = partition.nextBatch();
    await publish(frameOf(0, [], { publishedAtMs: 10 }), frameOf(4, [], { publishedAtMs: 25 }));
    await arrived(partition, 2);
    expect(partition.completeness(0, 20)).toEqual({ atLeast: 0, atMost: 4 });
    expect(partition.completeness(0, 26)).toBe("unknown");
    await publish(frameOf(4, ["e"], { publishedAtMs: 30 }));
    expect(await batch).toMatchObject({ events: ["e"] });
    expect(partition.completeness(0, 26)).toEqual({ atLeast: 4, atMost: 4 });
  });

  it("is unknown if messages have no numbers", async () => {
    const partition = await subscribe();
    await publish(frameOf(0, ["a"], { publishedAtMs: 10 }), "bare", frameOf(1, [], { publishedAtMs: 30 }));
    await take(partition, 2);
    expect(partition.completeness(0, 20)).toBe("unknown");
    const unframed = new RedisPubSubSource({ url: server.url }, { channel: "clicks" });
    const plain = await unframed.buildPart("clicks", undefined, partContext());
    open.push(plain);
    expect(plain.completeness(0, 20)).toBe("unknown");
  });
});

describe("a hole in the subscription", () => {
  it("is measured by the next number, when the connection is cut", async () => {
    const partition = await subscribe();
    await publish(frameOf(0, ["a"], { publishedAtMs: 10 }));
    await take(partition, 1);
    const batch = take(partition, 1);
    // In one transaction: the source cannot subscribe again before the frame is published.
    await publisher
      .multi()
      .client("KILL", "TYPE", "pubsub")
      .publish("clicks", frameOf(1, ["b", "c"], { publishedAtMs: 15 }))
      .exec();
    await context.logger.logged("subscribed", 2);
    expect(partition.completeness(0, 20)).toBe("unknown");
    await publish(frameOf(3, ["d"], { publishedAtMs: 30 }));
    expect(await batch).toEqual(["d"]);
    expect(partition.stats()).toMatchObject({ read: 2, lost: 2, disconnects: 1, reconnects: 1, cutOffs: 0 });
    expect(partition.completeness(0, 20)).toEqual({ atLeast: 0, atMost: 2 });
    await publish(frameOf(4, [], { publishedAtMs: 40 }));
    await until(() => partition.completeness(20, 40) !== "unknown");
    expect(partition.completeness(10, 40)).toEqual({ atLeast: 2, atMost: 2 });
  });

  it("between two runs is measured too, since the position keeps the numbers", async () => {
    const first = await subscribe();
    await publish(frameOf(0, ["a", "b"]), frameOf(2, ["c"]));
    await take(first, 3);
    const position = stored(first.snapshot());
    await first.close();
    await publish(frameOf(3, ["lost", "lost"]));
    const second = await subscribe({}, position);
    await publish(frameOf(2, ["c"]), frameOf(5, ["f"]));
    expect(await take(second, 1)).toEqual(["f"]);
    expect(second.stats()).toMatchObject({ read: 1, duplicates: 1, lost: 2 });
  });

  it("an invalid position is refused", async () => {
    await expect(subscribe({}, "elsewhere")).rejects.toBeInstanceOf(RedisPositionError);
    // The position of a flow without frames is empty, and is accepted.
    await subscribe({}, null);
  });
});

describe("a full queue", () => {
  const frames = Array.from({ length: 40 }, (_, i) =>
    frameOf(
      i * 5,
      ["1", "2", "3", "4", "5"].map((n) => `${i}-${n}`),
    ),
  );

  it.each(["drop-oldest", "drop-newest"] as const)(
    "drops whole frames by %s, and the gap counts them once",
    async (onOverflow) => {
      const partition = await subscribe({ maxQueuedEvents: 20, onOverflow });
      await publish(...frames, frameOf(200, []));
      await arrived(partition, 41);
      const { queued, dropped } = partition.stats();
      expect([queued, dropped]).toEqual([20, 180]);
      const events = await take(partition, 20);
      expect(events[0]).toBe(onOverflow === "drop-oldest" ? "36-1" : "0-1");
      expect(partition.stats()).toMatchObject({ read: 20, lost: 180, dropped: 180, duplicates: 0 });
    },
  );

  it("drops a single bare line", async () => {
    const partition = await subscribe({ maxQueuedEvents: 3, onOverflow: "drop-newest" });
    await publish("a\nb\nc\nd", frameOf(0, ["x"]));
    await arrived(partition, 2);
    expect(await take(partition, 3)).toEqual(["a", "b", "c"]);
    await publish(frameOf(1, []));
    await arrived(partition, 3);
    expect(partition.stats()).toMatchObject({ read: 3, dropped: 2 });
  });

  it("of the policy fail counts what did not fit", async () => {
    const partition = await subscribe({ maxQueuedEvents: 5, onOverflow: "fail" });
    await publish(...frames.slice(0, 3));
    expect(await take(partition, 5)).toHaveLength(5);
    await expect(partition.nextBatch()).rejects.toThrow(/maxQueuedEvents/);
    expect(partition.stats().lost).toBeGreaterThan(0);
  });
});

describe("a subscriber that reads too slowly", () => {
  it("logs the limit at the start, and after a cut-off what was lost", async () => {
    await publisher.config("SET", "client-output-buffer-limit", "pubsub 1mb 0 0");
    try {
      const partition = await subscribe({ maxQueuedEvents: 100, maxBatchEvents: 100 });
      expect(context.logger.of("output-buffer-limit")[0]?.fields).toMatchObject({
        hardBytes: 1_048_576,
        softBytes: 0,
      });
      const sink = new RedisPubSubSink({ url: server.url }, { channel: "clicks", frames: true, batch: 10 });
      const part = await sink.buildPart("0", undefined, partContext());
      open.push(part);
      const rows = Array.from({ length: 40_000 }, (_, i) => String(i).padEnd(1_000));
      // No events are taken: the queue is full at once, then the socket's buffers, then Redis' own.
      await part.writeBatch(rows);
      await part.flush();
      expect(sink.stats().unheard).toBeGreaterThan(0);
      let heard = 0;
      const left = (): boolean => partition.stats().queued > 0;
      while (partition.stats().disconnects === 0 || left()) {
        await until(() => partition.stats().disconnects > 0 || left());
        if (!left()) break;
        const batch = await partition.nextBatch();
        heard += batch.kind === "batch" ? batch.events.length : 0;
      }
      await context.logger.logged("subscribed", 2);
      await context.logger.logged("cut-off");
      await part.writeBatch(rows.slice(0, 10));
      await take(partition, 10);
      expect(partition.stats()).toMatchObject({
        read: heard + 10,
        lost: rows.length - heard,
        duplicates: 0,
        disconnects: 1,
        cutOffs: 1,
      });
      expect(partition.stats().lost).toBeGreaterThanOrEqual(sink.stats().unheard);
    } finally {
      await publisher.config("SET", "client-output-buffer-limit", "pubsub 32mb 8mb 60");
    }
  });

  it("logs that the limit is unknown if it may not be read", async () => {
    await publisher.acl("SETUSER", "guest", "on", ">pw", "+info", "+subscribe", "+ping", "allchannels");
    context = partContext();
    const source = new RedisPubSubSource(
      { host: server.host, port: server.port, username: "guest", password: "pw" },
      { channel: "clicks" },
    );
    open.push(await source.buildPart("clicks", undefined, context));
    expect(context.logger.of("output-buffer-limit")).toMatchObject([{ fields: { limit: "unknown" } }]);
  });
});
