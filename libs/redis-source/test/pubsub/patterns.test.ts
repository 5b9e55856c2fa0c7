import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import type { Json, RawLine, SourcePartition } from "@millrace/dataflow";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import {
  PartitionLayoutError,
  RedisPubSubSink,
  RedisPubSubSource,
  RedisRefusedError,
} from "@millrace/redis-source";
import type { LineWithOrigin, PubSubPartition, RedisPubSubSourceOptions } from "@millrace/redis-source";
import { frameOf } from "../support/frames.ts";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { stored } from "../support/stored.ts";
import { take, takeAll } from "../support/take.ts";
import { until } from "../support/until.ts";

const PATTERN = "clicks:*";
const PART = "pattern:clicks:*";

let server: LocalRedis;
let publisher: Redis;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startRedis();
  publisher = new Redis(server.url);
});

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

afterAll(async () => {
  publisher.disconnect();
  await server.stop();
});

function sourceOf(options: RedisPubSubSourceOptions): RedisPubSubSource {
  return new RedisPubSubSource({ url: server.url }, options);
}

async function read(
  options: Omit<RedisPubSubSourceOptions, "channel" | "pattern"> = {},
  { resume, context = partContext() }: { resume?: Json; context?: TestContext } = {},
): Promise<PubSubPartition> {
  const partition = await sourceOf({ pattern: PATTERN, ...options }).buildPart(PART, resume, context);
  open.push(partition);
  return partition;
}

async function readWithOrigin(options: RedisPubSubSourceOptions): Promise<SourcePartition<LineWithOrigin>> {
  const source = sourceOf(options).withOrigin();
  const [part = ""] = await source.listParts();
  const partition = await source.buildPart(part, undefined, partContext());
  open.push(partition);
  return partition;
}

async function publish(
  ...messages: readonly (readonly [channel: string, message: RawLine])[]
): Promise<void> {
  const pipeline = publisher.pipeline();
  for (const [channel, message] of messages) pipeline.publish(channel, Buffer.from(message));
  await pipeline.exec();
}

describe("a pattern", () => {
  it("is one partition of all channels that match, in order", async () => {
    const source = sourceOf({ pattern: PATTERN });
    expect(await source.listParts()).toEqual([PART]);
    expect(source.partitioning).toEqual({ kind: "single" });
    await source.checkStart([PART], partContext());
    const partition = await read();
    await publish(["clicks:a", "1"], ["other", "x"], ["clicks:b", "2"], ["clicks:a", "3\n4"]);
    expect(await take(partition, 4)).toEqual(["1", "2", "3", "4"]);
    expect(await partition.drained()).toBeDefined();
    expect(partition.stats()).toMatchObject({ read: 4, messages: 3, lost: 0 });
  });

  it("delivers the channel beside each line, of frames and of bare lines", async () => {
    const partition = await readWithOrigin({ pattern: PATTERN });
    await publish(
      ["clicks:a", "1"],
      ["clicks:b", "2"],
      ["clicks:b", frameOf(0, ["3", "4"])],
      ["clicks:zürich", "5"],
    );
    const fields = {};
    expect(await take(partition, 5)).toEqual([
      { line: "1", channel: "clicks:a", fields },
      { line: "2", channel: "clicks:b", fields },
      { line: "3", channel: "clicks:b", fields },
      { line: "4", channel: "clicks:b", fields },
      { line: "5", channel: "clicks:zürich", fields },
    ]);
  });

  it("counts the numbers of each channel apart, also after a restart", async () => {
    const before = await read();
    // One producer, such as a sink with two partitions, numbers its events for each channel.
    await publish(["clicks:a", frameOf(0, ["a0"])], ["clicks:b", frameOf(0, ["b0"])]);
    await publish(["clicks:a", frameOf(1, ["a1"])], ["clicks:b", frameOf(3, ["b3"])]);
    expect(await take(before, 4)).toEqual(["a0", "b0", "a1", "b3"]);
    expect(before.stats()).toMatchObject({ duplicates: 0, lost: 2, producers: 2 });
    const after = await read({}, { resume: stored(before.snapshot()) });
    await before.close();
    await publish(["clicks:b", frameOf(3, ["b3"])], ["clicks:a", frameOf(2, ["a2"])]);
    expect(await take(after, 1)).toEqual(["a2"]);
    expect(after.stats()).toMatchObject({ duplicates: 1, lost: 0, producers: 2 });
  });

  it("knows after an outage that something may be missing, and says what to do", async () => {
    const context = partContext();
    const partition = await read({}, { context });
    await publish(["clicks:a", frameOf(0, ["a0"])]);
    expect(await take(partition, 1)).toEqual(["a0"]);
    expect(context.logger.of("no-producer-records")[0]?.message).toMatch(/Name the channels/);
    await publisher.client("KILL", "TYPE", "pubsub");
    await context.logger.logged("subscribed", 2);
    await publish(["clicks:a", frameOf(2, ["a2"])]);
    expect(await take(partition, 1)).toEqual(["a2"]);
    expect(partition.stats()).toMatchObject({ lost: 1, uncertainSince: expect.any(Number) });
  });

  it("needs the permission for this very pattern", async () => {
    const rights = ["on", ">pw", "+info", "+ping", "+psubscribe", "resetchannels", "&clicks:*"];
    await publisher.acl("SETUSER", "reader", ...rights);
    const { host, port } = server;
    const as = (pattern: string): Promise<PubSubPartition> =>
      new RedisPubSubSource({ host, port, username: "reader", password: "pw" }, { pattern }).buildPart(
        `pattern:${pattern}`,
        undefined,
        partContext(),
      );
    open.push(await as(PATTERN));
    await expect(as("clicks:a*")).rejects.toBeInstanceOf(RedisRefusedError);
  });

  it("stops with what was published before", async () => {
    const partition = await read();
    await publish(["clicks:a", "1"], ["clicks:b", "2"]);
    partition.stop();
    expect(await takeAll(partition)).toEqual(["1", "2"]);
  });

  it("keeps the channels apart when the queue is full", async () => {
    const partition = await read({ maxQueuedEvents: 2, onOverflow: "drop-oldest" });
    await publish(["clicks:a", "1"], ["clicks:b", "2"], ["clicks:b", "3"], ["clicks:a", frameOf(0, ["4"])]);
    await until(() => partition.stats().messages === 4);
    expect(await take(partition, 2)).toEqual(["3", "4"]);
    expect(partition.stats()).toMatchObject({ dropped: 2, lost: 2 });
  });

  it("matches no shard channels, and says so", () => {
    expect(() => sourceOf({ pattern: PATTERN, transport: "sharded" })).toThrow(
      /no shard channels.*give their names as channel.*"pubsub"/,
    );
  });
});

describe("several channels by name", () => {
  it("deliver their name beside each line", async () => {
    const partition = await readWithOrigin({ channel: ["left", "right"] });
    await publish(["left", "1"]);
    expect(await take(partition, 1)).toEqual([{ line: "1", channel: "left", fields: {} }]);
  });

  it("refuse a name that a publisher divides into more partitions", async () => {
    const sink = new RedisPubSubSink(
      { url: server.url },
      { channel: "divided", partitions: 2, keyOf: () => "k", partitionedBy: "k" },
    );
    open.push(await sink.buildPart("0", undefined, partContext()));
    const source = sourceOf({ channel: ["whole", "divided"] });
    await expect(source.checkStart(["whole", "divided"], partContext())).rejects.toBeInstanceOf(
      PartitionLayoutError,
    );
    await source.checkStart(["whole"], partContext());
  });
});
