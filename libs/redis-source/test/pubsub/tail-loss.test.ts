import { describe, expect, it } from "@jest/globals";
import type { Json } from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import { RedisPubSubSource } from "../../src/pubsub/pubsub-source.ts";
import type { PubSubPartition } from "../../src/pubsub/pubsub-partition.ts";
import type { RedisPubSubSourceOptions } from "../../src/pubsub/pubsub-source-options.ts";
import { frameOf } from "../support/frames.ts";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { infoReply, scriptedRedis } from "../support/scripted-server.ts";
import { rows, sinkBench } from "../support/sink-bench.ts";
import type { User } from "../support/sink-bench.ts";
import { stored } from "../support/stored.ts";
import { take, takeAll } from "../support/take.ts";
import { until } from "../support/until.ts";

const bench = sinkBench();
let context: TestContext;

interface Subscription {
  readonly options?: Omit<RedisPubSubSourceOptions, "channel" | "pattern">;
  readonly resume?: Json;
  readonly port?: number;
  readonly user?: User;
  readonly time?: VirtualTime;
}

async function subscribe({
  options = {},
  resume,
  port = bench.server.port,
  user,
  time,
}: Subscription = {}): Promise<PubSubPartition> {
  context = partContext(time);
  const source = new RedisPubSubSource(
    { host: "127.0.0.1", port, ...user },
    { channel: "clicks", ...options },
  );
  const partition = await source.buildPart("clicks", resume, context);
  bench.later(() => partition.close());
  return partition;
}

/** A whole life of a publisher. */
async function publishAndEnd(count: number, producer?: string): Promise<void> {
  const { part } = await bench.open({ frames: true, ...(producer === undefined ? {} : { producer }) });
  await part.writeBatch(rows(count));
  await part.flush();
  await part.close();
}

describe("a publisher that ends during an outage of the reader", () => {
  it("loses exactly what a slow reader was cut off from", async () => {
    await bench.control.config("SET", "client-output-buffer-limit", "pubsub 1mb 0 0");
    try {
      const partition = await subscribe({ options: { maxQueuedEvents: 100, maxBatchEvents: 100 } });
      const { part } = await bench.open({ frames: true, batch: 10 });
      await part.writeBatch(Array.from({ length: 40_000 }, (_, i) => String(i).padEnd(1_000)));
      await part.flush();
      await part.close();
      const left = (): boolean => partition.stats().queued > 0;
      while (partition.stats().disconnects === 0 || left()) {
        await until(() => partition.stats().disconnects > 0 || left());
        if (left()) await partition.nextBatch();
      }
      await context.logger.logged("subscribed", 2);
      partition.stop();
      await takeAll(partition);
      const { read, lost, uncertainSince } = partition.stats();
      expect(read).toBeLessThan(40_000);
      expect({ all: read + lost, uncertainSince }).toEqual({ all: 40_000, uncertainSince: undefined });
      expect(partition.completeness(0, Date.now() + 60_000)).toMatchObject({ atMost: lost });
    } finally {
      await bench.control.config("SET", "client-output-buffer-limit", "pubsub 32mb 8mb 60");
    }
  });

  it("loses all that it published while the reader's connection was dead", async () => {
    const cable = await bench.cable();
    const partition = await subscribe({ port: cable.port });
    cable.freeze();
    await publishAndEnd(20_000);
    partition.stop();
    expect(await takeAll(partition)).toEqual([]);
    expect(partition.stats()).toMatchObject({ read: 0, lost: 20_000 });
    expect(partition.stats().uncertainSince).toBeUndefined();
    expect(partition.completeness(0, Date.now())).toEqual({ atLeast: 20_000, atMost: 20_000 });
  });

  it("is distinguished from one that ended before", async () => {
    await publishAndEnd(10, "early");
    const cable = await bench.cable();
    const partition = await subscribe({ port: cable.port });
    cable.freeze();
    await publishAndEnd(7, "missed");
    partition.stop();
    await takeAll(partition);
    expect(partition.stats()).toMatchObject({ read: 0, lost: 7 });
  });

  it("is found by the next run, if it ended between two runs", async () => {
    const first = await subscribe();
    const { part } = await bench.open({ frames: true, producer: "shop" });
    await part.writeBatch(rows(5));
    await part.flush();
    await take(first, 5);
    const position = stored(first.snapshot());
    await first.close();
    await part.writeBatch(rows(3));
    await part.flush();
    await part.close();
    await publishAndEnd(4, "other");
    const second = await subscribe({ resume: position });
    await until(() => second.stats().lost === 7);
    expect(second.stats().uncertainSince).toBeUndefined();
    expect(second.completeness(0, Date.now() + 60_000)).toMatchObject({ atMost: 7 });
  });
});

describe("a run that cannot know what it missed reports since when", () => {
  it("if records may not be read", async () => {
    const cable = await bench.cable();
    const user = await bench.user("reader", "+subscribe", "+unsubscribe", "+ping");
    const partition = await subscribe({ port: cable.port, user });
    expect(context.logger.of("no-producer-records")).toHaveLength(1);
    const before = Date.now();
    cable.freeze();
    await publishAndEnd(100);
    partition.stop();
    await takeAll(partition);
    const { lost, uncertainSince } = partition.stats();
    expect(lost).toBe(0);
    expect(uncertainSince).toBeLessThanOrEqual(before);
  });

  it("and no window is complete in which another publisher may have begun and ended", async () => {
    const cable = await bench.cable();
    const user = await bench.user("reader", "+subscribe", "+unsubscribe", "+ping");
    const partition = await subscribe({ port: cable.port, user });
    const open = Date.now();
    await publishAndEnd(10);
    await take(partition, 10);
    const close = Date.now() + 1;
    await until(() => partition.completeness(open, close) === true);
    await bench.control.client("KILL", "TYPE", "pubsub");
    await context.logger.logged("subscribed", 2);
    const after = Date.now() + 1;
    expect(partition.completeness(after, after + 1)).toBe(true);
    expect(partition.completeness(close - 1, after)).toBe("unknown");
  });

  it("if a publisher keeps no record and is not heard again", async () => {
    const partition = await subscribe();
    await bench.control.publish("clicks", frameOf(0, ["a"], { publishedAtMs: 1_000 }));
    await take(partition, 1);
    expect(partition.stats().uncertainSince).toBeUndefined();
    await bench.control.client("KILL", "TYPE", "pubsub");
    await context.logger.logged("subscribed", 2);
    expect(partition.stats()).toMatchObject({ lost: 0, uncertainSince: 1_000 });
  });

  it("if a publisher was killed: since it was last heard", async () => {
    const partition = await subscribe();
    await bench.control.publish("clicks", frameOf(0, ["a"], { publishedAtMs: 1_000 }));
    await take(partition, 1);
    await bench.control.hset("{clicks}:producers", "p", "5 3000 1000 0");
    await bench.control.client("KILL", "TYPE", "pubsub");
    await context.logger.logged("subscribed", 2);
    expect(partition.stats()).toMatchObject({ lost: 4, uncertainSince: 3_000 });
    // It still runs: the next number shows the rest.
    await bench.control.publish("clicks", frameOf(6, [], { publishedAtMs: 4_000 }));
    await until(() => partition.stats().lost === 5);
    expect(partition.stats().uncertainSince).toBeUndefined();
  });

  it("if lines have no numbers", async () => {
    const partition = await subscribe();
    await bench.control.publish("clicks", "bare");
    await take(partition, 1);
    await bench.control.client("KILL", "TYPE", "pubsub");
    await context.logger.logged("subscribed", 2);
    expect(partition.stats().uncertainSince).toBeGreaterThan(0);
    const unframed = new RedisPubSubSource({ url: bench.server.url }, { channel: "clicks" });
    const plain = await unframed.buildPart("clicks", undefined, context);
    bench.later(() => plain.close());
    expect(plain.stats().uncertainSince).toBeUndefined();
    await bench.control.client("KILL", "TYPE", "pubsub");
    await context.logger.logged("subscribed", 5);
    expect(plain.stats().uncertainSince).toBeGreaterThan(0);
  });

  it.each([
    ["lines have no numbers", ["a"]],
    ["nothing came at all", []],
  ])("if it was down, and %s", async (_, messages) => {
    const open = async (at: number, resume?: Json): Promise<PubSubPartition> => {
      context = partContext(new VirtualTime(at));
      const source = new RedisPubSubSource({ url: bench.server.url }, { channel: "clicks" });
      const partition = await source.buildPart("clicks", resume, context);
      bench.later(() => partition.close());
      return partition;
    };
    const first = await open(5_000);
    for (const message of messages) await bench.control.publish("clicks", message);
    await take(first, messages.length);
    expect(first.stats().uncertainSince).toBeUndefined();
    const position = stored(first.snapshot());
    await first.close();
    await bench.control.publish("clicks", "missed");
    const second = await open(605_000, position);
    expect(second.stats()).toMatchObject({ lost: 0, uncertainSince: 5_000 });
    expect(second.completeness(300_000, 310_000)).toBe("unknown");
  });

  it("but not if the connection was never lost", async () => {
    const partition = await subscribe();
    await bench.control.publish("clicks", frameOf(0, ["a"]));
    await take(partition, 1);
    partition.stop();
    await takeAll(partition);
    expect(partition.stats().uncertainSince).toBeUndefined();
  });
});

describe("a connection that dies silently", () => {
  it("is given up if it is silent and does not answer a ping", async () => {
    const cable = await bench.cable();
    const time = new VirtualTime(Date.now());
    const partition = await subscribe({ port: cable.port, time });
    cable.freeze();
    await publishAndEnd(50);
    const batch = partition.nextBatch();
    time.set(time.now() + 5_000);
    expect(partition.stats().disconnects).toBe(0);
    time.set(time.now() + 5_000);
    await context.logger.logged("redis-lost");
    time.set(time.now() + 100);
    await context.logger.logged("subscribed", 2);
    expect(partition.stats()).toMatchObject({ lost: 50, disconnects: 1 });
    await bench.control.publish("clicks", frameOf(0, ["a"]));
    expect(await batch).toMatchObject({ events: ["a"] });
  });

  it("is kept if it answers", async () => {
    const time = new VirtualTime(Date.now());
    const partition = await subscribe({ time });
    for (let round = 0; round < 3; round += 1) {
      time.set(time.now() + 5_000);
      // Asked after the partition's own question, on the same connection.
      await partition.drained();
    }
    expect(partition.stats().disconnects).toBe(0);
  });
});

describe("subscribing", () => {
  it("waits for no answer: all queries go before it in one write", async () => {
    const bulk = (...parts: string[]): string =>
      parts.map((part) => `$${part.length}\r\n${part}\r\n`).join("");
    const asked: string[] = [];
    const scripted = await scriptedRedis(([name = ""], socket) => {
      if (name === "client") return "+OK\r\n";
      // How the channel is divided is asked before, on a connection of its own.
      if (name === "exists") return ":0\r\n";
      if (name === "CLUSTER") return "-ERR no cluster\r\n";
      if (name === "get") {
        asked.length = 0;
        return "$-1\r\n";
      }
      asked.push(name);
      if (asked.length === 1) return infoReply("7.0.0");
      // Nothing is answered before SUBSCRIBE has come.
      if (name !== "subscribe") return undefined;
      socket.write(`*0\r\n${infoReply("7.0.0")}*2\r\n${bulk("client-output-buffer-limit", "pubsub 0 0 0")}`);
      return `*3\r\n${bulk("subscribe", "clicks")}:1\r\n`;
    });
    bench.later(() => scripted.close());
    await subscribe({ port: scripted.port });
    expect(asked).toEqual(["info", "hgetall", "info", "config", "subscribe"]);
  });
});
