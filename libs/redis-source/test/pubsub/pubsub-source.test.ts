import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisOptionsError } from "../../src/errors.ts";
import { RedisPubSubSource } from "../../src/pubsub/pubsub-source.ts";
import type { PubSubPartition } from "../../src/pubsub/pubsub-partition.ts";
import type { RedisPubSubSourceOptions } from "../../src/pubsub/pubsub-source-options.ts";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { infoReply, scriptedRedis } from "../support/scripted-server.ts";
import { take } from "../support/take.ts";
import { until } from "../support/until.ts";

let server: LocalRedis;
let publisher: Redis;
const open: PubSubPartition[] = [];

beforeAll(async () => {
  server = await startRedis();
  publisher = new Redis(server.url);
  publisher.on("error", () => undefined);
});

afterEach(async () => {
  for (const partition of open.splice(0)) await partition.close();
});

afterAll(async () => {
  publisher.disconnect();
  await server.stop();
});

async function subscribe(
  options: Omit<RedisPubSubSourceOptions, "channel" | "pattern"> = {},
  context: TestContext = partContext(),
): Promise<PubSubPartition> {
  const source = new RedisPubSubSource({ url: server.url }, { channel: "clicks", ...options });
  const partition = await source.buildPart("clicks", undefined, context);
  open.push(partition);
  return partition;
}

function lines(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
}

async function publish(messages: readonly (string | Buffer)[]): Promise<void> {
  const pipeline = publisher.pipeline();
  for (const message of messages) pipeline.publish("clicks", message);
  await pipeline.exec();
}

describe("options", () => {
  it.each([
    ["neither channel nor pattern", {}],
    ["both", { channel: "a", pattern: "b*" }],
    ["an empty pattern", { pattern: "" }],
    ["a pattern of shard channels", { pattern: "a*", transport: "sharded" as const }],
    ["partitions of a pattern", { pattern: "a*", partitions: 2 }],
    ["names that a store cannot keep apart", { channel: ["{a}", "a"] }],
    ["no channel", { channel: [] }],
    ["an empty name", { channel: "" }],
    ["a name twice", { channel: ["a", "b", "a"] }],
    ["a queue of nothing", { channel: "a", maxQueuedEvents: 0 }],
    ["half a byte", { channel: "a", maxQueuedBytes: 0.5 }],
    ["batches without end", { channel: "a", maxBatchEvents: Infinity }],
    ["half a partition", { channel: "a", partitions: 0.5 }],
    ["partitions of channels that have names", { channel: ["a", "b"], partitions: 2 }],
  ])("refuses %s", (_, options) => {
    expect(() => new RedisPubSubSource({}, options)).toThrow(RedisOptionsError);
  });

  it("names the field that its partitions are divided by", () => {
    const of = (options: RedisPubSubSourceOptions): unknown =>
      new RedisPubSubSource({}, options).partitioning;
    expect(of({ channel: "a" })).toEqual({ kind: "single" });
    expect(of({ channel: ["a"], partitionedBy: "zone" })).toEqual({ kind: "single" });
    expect(of({ channel: ["a", "b"] })).toEqual({ kind: "arbitrary" });
    expect(of({ channel: ["a", "b"], partitionedBy: "zone" })).toEqual({ kind: "by", field: "zone" });
    expect(of({ channel: "a", partitions: 3, partitionedBy: "zone" })).toEqual({ kind: "by", field: "zone" });
  });

  it("names the partitions of a channel", async () => {
    const source = new RedisPubSubSource({}, { channel: "clicks", partitions: 2 });
    expect(await source.listParts()).toEqual(["{clicks:0}", "{clicks:1}"]);
  });

  it("opens only its own channels", async () => {
    const source = new RedisPubSubSource({ url: server.url }, { channel: "clicks" });
    await expect(source.buildPart("taps", undefined, partContext())).rejects.toBeInstanceOf(
      RedisOptionsError,
    );
  });
});

describe("reading", () => {
  it("gets what is published once it is built, in order", async () => {
    const context = partContext();
    const partition = await subscribe({}, context);
    expect(context.logger.of("subscribed")[0]?.fields).toMatchObject({ channel: "clicks", step: "clicks" });
    await publish(lines(0, 5_000));
    expect(await take(partition, 5_000)).toEqual(lines(0, 5_000));
    expect(partition.stats()).toEqual({
      read: 5_000,
      duplicates: 0,
      lost: 0,
      queued: 0,
      messages: 5_000,
      malformed: 0,
      reordered: 0,
      dropped: 0,
      possibleDuplicates: 0,
      suspicious: 0,
      producers: 0,
      forgotten: 0,
      disconnects: 0,
      cutOffs: 0,
      pauses: 0,
      connected: true,
      reconnects: 0,
    });
    expect(partition.snapshot()).toMatchObject({ producers: [], takenUpTo: expect.any(Number) });
  });

  it("returns all events in batches of the configured size", async () => {
    const partition = await subscribe({ maxBatchEvents: 40 });
    await publish(lines(0, 100));
    await until(() => partition.stats().queued === 100);
    const sizes: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      const batch = await partition.nextBatch();
      sizes.push(batch.kind === "batch" ? batch.events.length : -1);
    }
    expect(sizes).toEqual([40, 40, 20]);
  });

  it("keeps several channels apart", async () => {
    const source = new RedisPubSubSource({ url: server.url }, { channel: ["left", "right"] });
    expect(await source.listParts()).toEqual(["left", "right"]);
    const left = await source.buildPart("left", undefined, partContext());
    const right = await source.buildPart("right", undefined, partContext());
    open.push(left, right);
    await publisher.publish("left", "l1");
    await publisher.publish("right", "r1");
    await publisher.publish("left", "l2");
    expect(await take(left, 2)).toEqual(["l1", "l2"]);
    expect(await take(right, 1)).toEqual(["r1"]);
  });

  it("makes an event of each line of a message, and leaves bytes that are no text as bytes", async () => {
    const partition = await subscribe();
    await publish(["a\nb\n", "", Buffer.from([0xc3, 0x28]), "Zürich"]);
    expect(await take(partition, 5)).toEqual(["a", "b", "", new Uint8Array([0xc3, 0x28]), "Zürich"]);
    expect(partition.stats()).toMatchObject({ read: 5, messages: 4 });
  });
});

describe("drained", () => {
  it("proves that nothing was left when it asked", async () => {
    const partition = await subscribe();
    const before = Date.now();
    const proof = await partition.drained();
    expect(proof?.connection).toBe(1);
    expect(proof?.at).toBeGreaterThanOrEqual(before);
    expect(proof?.at).toBeLessThanOrEqual(Date.now());
  });

  it("proves nothing while events are queued, and proves again when they are taken", async () => {
    const partition = await subscribe();
    await publish(["a"]);
    await until(() => partition.stats().queued === 1);
    expect(await partition.drained()).toBeUndefined();
    await take(partition, 1);
    expect(await partition.drained()).toMatchObject({ connection: 1 });
  });

  it.each([
    ["and is queued", false],
    ["and is taken before the answer is seen", true],
  ])("proves nothing when a message comes just before the answer %s", async (_, reading) => {
    const bulk = (...parts: string[]): string =>
      parts.map((part) => `$${part.length}\r\n${part}\r\n`).join("");
    const scripted = await scriptedRedis(([name]) => {
      if (name === "info") return infoReply("7.0.0");
      if (name === "subscribe") return `*3\r\n${bulk("subscribe", "clicks")}:1\r\n`;
      if (name === "ping") return `*3\r\n${bulk("message", "clicks", "a")}*2\r\n${bulk("pong", "")}`;
      return "+OK\r\n";
    });
    const source = new RedisPubSubSource({ host: "127.0.0.1", port: scripted.port }, { channel: "clicks" });
    const partition = await source.buildPart("clicks", undefined, partContext());
    const waiting = reading ? take(partition, 1) : undefined;
    expect(await partition.drained()).toBeUndefined();
    expect(await (waiting ?? take(partition, 1))).toEqual(["a"]);
    await partition.close();
    await scripted.close();
  });

  it("never overlooks a message that Redis had before the probe", async () => {
    const partition = await subscribe();
    for (let i = 0; i < 100; i += 1) {
      await publisher.publish("clicks", "a");
      // It is queued already or not yet received, with a read waiting or not.
      const waiting = i % 2 === 0 ? take(partition, 1) : undefined;
      const seen = partition.stats().messages;
      const proof = await partition.drained();
      if (seen === i) expect(proof).toBeUndefined();
      await (waiting ?? take(partition, 1));
    }
    expect(partition.stats().read).toBe(100);
  });
});

describe("a lost connection", () => {
  it("is subscribed again, continues, and proves nothing in between", async () => {
    const context = partContext();
    const partition = await subscribe({}, context);
    await publish(["before"]);
    expect(await take(partition, 1)).toEqual(["before"]);
    await server.kill();
    await context.logger.logged("redis-lost");
    let proved = false;
    const proof = partition.drained().then((value) => {
      proved = true;
      return value;
    });
    const batch = take(partition, 1);
    const restartedAt = Date.now();
    expect(proved).toBe(false);
    await server.restart();
    await context.logger.logged("subscribed", 2);
    expect(await proof).toMatchObject({ connection: 2 });
    expect((await proof)?.at).toBeGreaterThanOrEqual(restartedAt);
    await publish(["after"]);
    expect(await batch).toEqual(["after"]);
    expect(partition.stats()).toMatchObject({ read: 2, disconnects: 1 });
  });

  it("leaves what was received before to be taken", async () => {
    const context = partContext();
    const partition = await subscribe({}, context);
    await publish(lines(0, 10));
    await until(() => partition.stats().queued === 10);
    await publisher.client("KILL", "TYPE", "pubsub");
    await context.logger.logged("redis-back");
    expect(await partition.drained()).toBeUndefined();
    expect(await take(partition, 10)).toEqual(lines(0, 10));
    expect(await partition.drained()).toMatchObject({ connection: 2 });
  });
});
