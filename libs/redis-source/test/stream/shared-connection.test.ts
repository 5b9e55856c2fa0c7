import { createServer } from "node:net";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { Redis } from "ioredis";
import { RedisPubSubSink, RedisPubSubSource, RedisStreamSource } from "@millrace/redis-source";
import type { StreamPartition } from "@millrace/redis-source";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { listen } from "../support/scripted-server.ts";
import { StreamBench } from "../support/stream-bench.ts";
import { take } from "../support/take.ts";

const PARTITIONS = 8;
const COMMANDS = "name=millrace_source_clicks_commands ";

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  jest.restoreAllMocks();
  for (const each of cleanUps.splice(0).reverse()) await each();
});

async function start(): Promise<StreamBench> {
  const bench = await StreamBench.start();
  cleanUps.push(() => bench.stop());
  return bench;
}

function sourceOf(url: string, connectTimeoutMs = 3_000): RedisStreamSource {
  return new RedisStreamSource(
    { url, connectTimeoutMs },
    { stream: "clicks", partitions: PARTITIONS, group: "g", progressEveryMs: 1 },
  );
}

async function openAll(source: RedisStreamSource, context: TestContext): Promise<StreamPartition[]> {
  const parts = await source.listParts();
  await source.checkStart(parts, context);
  return Promise.all(
    parts.map(async (part) => {
      const partition = await source.buildPart(part, undefined, context);
      cleanUps.push(() => partition.close());
      return partition;
    }),
  );
}

async function sourceClients(redis: Redis): Promise<string[]> {
  const clients = String(await redis.client("LIST")).split("\n");
  return clients.filter((line) => line.includes("name=millrace_source_"));
}

describe("the partitions of one source", () => {
  it("have one connection each to read, and one together for commands", async () => {
    const bench = await start();
    await openAll(sourceOf(bench.server.url), partContext());
    const clients = await sourceClients(bench.redis);
    expect(clients).toHaveLength(PARTITIONS + 1);
    expect(clients.filter((line) => line.includes(COMMANDS))).toHaveLength(1);
  });

  it("close it with the last of them", async () => {
    const bench = await start();
    const [first, ...others] = await openAll(sourceOf(bench.server.url), partContext());
    await first?.close();
    for (const partition of others) expect(await partition.drained()).toBeDefined();
    expect(others.map((partition) => partition.stats().disconnects)).toEqual(others.map(() => 0));
    for (const partition of others) await partition.close();
    await bench.redis.ping();
    expect(await sourceClients(bench.redis)).toEqual([]);
  });

  it("all notice that it was lost, and all get the next one", async () => {
    const bench = await start();
    const context = partContext();
    const partitions = await openAll(sourceOf(bench.server.url), context);
    await bench.cut(COMMANDS);
    const proofs = await Promise.all(partitions.map((partition) => partition.drained()));
    expect(proofs.map((proof) => proof === undefined)).toEqual(partitions.map(() => false));
    expect(partitions.map((partition) => partition.stats().disconnects)).toEqual(partitions.map(() => 1));
    expect(context.logger.of("redis-lost")).toHaveLength(1);
    expect(await sourceClients(bench.redis)).toHaveLength(PARTITIONS + 1);
    for (const [i, partition] of partitions.entries()) {
      await bench.add(`{clicks:${i}}`, [`line ${i}`]);
      expect(await take(partition, 1)).toEqual([`line ${i}`]);
    }
  });

  it("may be opened again after all were closed", async () => {
    const bench = await start();
    const source = sourceOf(bench.server.url);
    for (let i = 0; i < 2; i += 1) {
      const partitions = await openAll(source, partContext());
      expect(await partitions[0]?.drained()).toBeDefined();
      for (const partition of partitions) await partition.close();
    }
  });

  it("reject outstanding commands when they are closed, though Redis hangs", async () => {
    const bench = await start();
    const [first, second] = await openAll(sourceOf(bench.server.url), partContext());
    await bench.redis.call("CLIENT", "PAUSE", "600000", "ALL");
    const proof = first?.drained();
    const other = second?.drained();
    await first?.close();
    expect(await proof).toBeUndefined();
    await bench.server.kill();
    await bench.server.restart();
    expect(await other).toBeDefined();
  });

  it("stop waiting by their own signal, without harm to the others", async () => {
    const bench = await start();
    const source = sourceOf(bench.server.url);
    await source.checkStart(await source.listParts(), partContext());
    const gone = new AbortController();
    const opened = source.buildPart("{clicks:0}", undefined, partContext(undefined, gone.signal));
    const others = source.buildPart("{clicks:1}", undefined, partContext());
    gone.abort(new Error("stopped"));
    await expect(opened).rejects.toThrow("stopped");
    const partition = await others;
    cleanUps.push(() => partition.close());
    expect(await partition.drained()).toBeDefined();
  });

  it("say how many connections they need when Redis accepts no more", async () => {
    const full = await listen(
      createServer((socket) => {
        socket.end("-ERR max number of clients reached\r\n");
      }),
    );
    cleanUps.push(() => full.close());
    const at = { url: `redis://127.0.0.1:${full.port}`, connectTimeoutMs: 100 };
    const channels = new RedisPubSubSource(at, { channel: ["a", "b"] });
    const reading = "reading 1 channel takes 1 connection; a store in the same Redis takes 1 more";
    await expect(channels.checkStart(["a"], partContext())).rejects.toThrow(reading);
    await expect(channels.buildPart("a", undefined, partContext())).rejects.toThrow(reading);
    const keyOf = (): string => "a";
    const sink = new RedisPubSubSink(at, { channel: "clicks", partitions: 2, keyOf });
    const needs = "writing 2 channels or streams takes 2 connections";
    await expect(sink.checkResume("0", undefined, partContext())).rejects.toThrow(needs);
    await expect(sink.buildPart("0", undefined, partContext())).rejects.toThrow(needs);
    const source = new RedisStreamSource(at, { stream: "clicks", partitions: PARTITIONS });
    await expect(source.buildPart("{clicks:0}", undefined, partContext())).rejects.toThrow(
      `reading ${PARTITIONS} streams takes ${PARTITIONS + 1} connections; a store in the same Redis takes 1 more`,
    );
  });
});
