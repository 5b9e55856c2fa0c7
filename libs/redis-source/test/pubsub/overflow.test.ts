import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { QueueOverflowError } from "../../src/errors.ts";
import { RedisPubSubSource } from "../../src/pubsub/pubsub-source.ts";
import type { PubSubPartition } from "../../src/pubsub/pubsub-partition.ts";
import type { RedisPubSubSourceOptions } from "../../src/pubsub/pubsub-source-options.ts";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { take } from "../support/take.ts";
import { until } from "../support/until.ts";

const KIBIBYTE = "x".repeat(1_000);
const SOCKET_READ_BYTES = 65_536;

let server: LocalRedis;
let publisher: Redis;
let partition: PubSubPartition;

beforeAll(async () => {
  server = await startRedis();
  publisher = new Redis(server.url);
});

afterEach(async () => {
  await partition.close();
});

afterAll(async () => {
  publisher.disconnect();
  await server.stop();
});

async function subscribe(
  options: Omit<RedisPubSubSourceOptions, "channel" | "pattern">,
  context: TestContext = partContext(),
): Promise<void> {
  const source = new RedisPubSubSource({ url: server.url }, { channel: "clicks", ...options });
  partition = await source.buildPart("clicks", undefined, context);
}

function messages(count: number, text = ""): string[] {
  return Array.from({ length: count }, (_, i) => `${String(i).padStart(6, "0")}${text}`);
}

async function publish(payloads: readonly string[]): Promise<void> {
  const pipeline = publisher.pipeline();
  for (const payload of payloads) pipeline.publish("clicks", payload);
  await pipeline.exec();
}

describe("a full queue, policy pause", () => {
  it("leaves the socket unread and loses nothing", async () => {
    await subscribe({ maxQueuedEvents: 10, onOverflow: "pause" });
    const sent = messages(5_000, KIBIBYTE);
    await publish(sent);
    await until(() => partition.stats().pauses === 1);
    const { queued } = partition.stats();
    expect(queued).toBeLessThanOrEqual(10 + SOCKET_READ_BYTES / KIBIBYTE.length);
    // Redis handles this after all it has to send, and still no more of that has been read.
    await publisher.ping();
    expect(partition.stats().queued).toBe(queued);
    expect(await partition.drained()).toBeUndefined();
    expect(await take(partition, sent.length)).toEqual(sent);
    expect(partition.stats()).toMatchObject({ read: 5_000, lost: 0, queued: 0 });
    expect(partition.stats().pauses).toBeGreaterThan(1);
    expect(await partition.drained()).toBeDefined();
  });

  it("pauses the next connection too when Redis cuts the paused one off", async () => {
    await publisher.config("SET", "client-output-buffer-limit", "pubsub 64kb 0 0");
    const context = partContext();
    try {
      await subscribe({ maxQueuedEvents: 10, onOverflow: "pause" }, context);
      // More than socket buffers hold: Redis has to buffer, and may not.
      await publish(messages(20_000, KIBIBYTE));
      await until(() => partition.stats().pauses > 0);
      // The next connection cannot be read while the queue is full.
      await until(() => {
        if (partition.stats().queued > 0) void partition.nextBatch();
        return context.logger.of("subscribed").length === 2;
      });
      expect(partition.stats().disconnects).toBe(1);
    } finally {
      await publisher.config("SET", "client-output-buffer-limit", "pubsub 32mb 8mb 60");
    }
    while (partition.stats().queued > 0) await partition.nextBatch();
    const { pauses } = partition.stats();
    await publish(messages(500, KIBIBYTE));
    await until(() => partition.stats().pauses > pauses);
    expect(await take(partition, 500)).toEqual(messages(500, KIBIBYTE));
  });
});

describe("a full queue, policy drop-oldest", () => {
  it("keeps the newest and counts the rest as lost", async () => {
    await subscribe({ maxQueuedEvents: 10, onOverflow: "drop-oldest" });
    await publish(messages(100));
    await until(() => partition.stats().messages === 100);
    expect(partition.stats()).toMatchObject({ lost: 90, queued: 10 });
    expect(await take(partition, 10)).toEqual(messages(100).slice(-10));
  });

  it("drops as many as a larger event needs", async () => {
    await subscribe({ maxQueuedBytes: 100, onOverflow: "drop-oldest" });
    await publish(["a".repeat(40), "b".repeat(50), "c".repeat(60), "d".repeat(10)]);
    await until(() => partition.stats().messages === 4);
    expect(await take(partition, 2)).toEqual(["c".repeat(60), "d".repeat(10)]);
    expect(partition.stats()).toMatchObject({ read: 2, lost: 2 });
  });
});

describe("a full queue, policy drop-newest", () => {
  it("keeps the oldest and counts the rest as lost, lines of one message too", async () => {
    await subscribe({ maxQueuedEvents: 10, onOverflow: "drop-newest" });
    await publish([messages(100).join("\n")]);
    await until(() => partition.stats().messages === 1);
    expect(partition.stats()).toMatchObject({ lost: 90, queued: 10 });
    expect(await take(partition, 10)).toEqual(messages(100).slice(0, 10));
    await publish(["later"]);
    expect(await take(partition, 1)).toEqual(["later"]);
  });
});

describe("a full queue, policy fail", () => {
  it("delivers what is queued, then fails and says what to change", async () => {
    await subscribe({ maxQueuedEvents: 10, onOverflow: "fail" });
    await publish([messages(100).join("\n")]);
    expect(await take(partition, 10)).toEqual(messages(100).slice(0, 10));
    await expect(partition.nextBatch()).rejects.toThrow(QueueOverflowError);
    await expect(partition.nextBatch()).rejects.toThrow(/"clicks".*maxQueuedEvents.*onOverflow/);
    expect(partition.stats()).toMatchObject({ read: 10, lost: 90 });
    expect(await partition.drained()).toBeUndefined();
  });
});
