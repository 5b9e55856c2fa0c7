import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedis, startRedisCluster } from "@millrace/local-redis";
import type { RawLine } from "@millrace/dataflow";
import type { LocalRedis, LocalRedisCluster } from "@millrace/local-redis";
import { partitionNames } from "../../src/partitions/partition-names.ts";
import { partitionOf } from "../../src/partitions/partition-layout.ts";
import { RedisPubSubSink } from "../../src/pubsub/pubsub-sink.ts";
import { RedisPubSubSource } from "../../src/pubsub/pubsub-source.ts";
import type { PubSubPartition } from "../../src/pubsub/pubsub-partition.ts";
import { waitForSubscriber } from "../../src/pubsub/wait-for-subscriber.ts";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { take, takeAll } from "../support/take.ts";

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close();
  // Each test has its own layout; the record of the last one would expire only after a while.
  for (const client of clients) await client.del("clicks:layout:sharded").catch(() => undefined);
});

/** The servers of the running tests. */
let clients: readonly Redis[] = [];

type Part = Awaited<ReturnType<RedisPubSubSink["buildPart"]>>;

async function sinkTo(url: string, partitions: number): Promise<{ sink: RedisPubSubSink; part: Part }> {
  const sink = new RedisPubSubSink(
    { url },
    {
      channel: "clicks",
      partitions,
      transport: "sharded",
      frames: true,
      batch: 7,
      lingerMs: 0,
      keyOf: (row) => String(row).split(" ")[0] ?? "",
    },
  );
  const part = await sink.buildPart("0", undefined, partContext());
  open.push(part);
  return { sink, part };
}

async function subscribe(
  url: string,
  partitions: number,
  context: TestContext = partContext(),
): Promise<PubSubPartition[]> {
  const source = new RedisPubSubSource({ url }, { channel: "clicks", partitions, transport: "sharded" });
  const parts: PubSubPartition[] = [];
  for (const name of await source.listParts()) {
    const part = await source.buildPart(name, undefined, context);
    parts.push(part);
    open.push(part);
  }
  return parts;
}

/** A channel that is one partition. */
async function subscribeWhole(url: string, context?: TestContext): Promise<PubSubPartition> {
  const [whole] = await subscribe(url, 1, context);
  if (whole === undefined) throw new Error("a source has partitions");
  return whole;
}

function rows(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `key${(from + i) % 50} row${from + i}`);
}

function shareOf(all: readonly string[], partition: number, partitions: number): string[] {
  return all.filter((row) => partitionOf(row.split(" ")[0] ?? "", partitions) === partition);
}

/** How often a command was called since the statistics were reset. */
async function callsOf(control: Redis, command: string): Promise<number> {
  const stats = await control.info("commandstats");
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

describe("sharded Pub/Sub on a single Redis", () => {
  let server: LocalRedis;

  beforeAll(async () => {
    server = await startRedis();
    clients = [new Redis(server.url)];
  });

  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await server.stop();
  });

  it("divides rows by their key and keeps the order in each partition", async () => {
    const parts = await subscribe(server.url, 3);
    const { sink, part } = await sinkTo(server.url, 3);
    const sent = rows(0, 1_000);
    for (let i = 0; i < 10; i += 1) await part.writeBatch(sent.slice(i * 100, i * 100 + 100));
    for (const [index, partition] of parts.entries()) {
      const share = shareOf(sent, index, 3);
      expect(share.length).toBeGreaterThan(100);
      expect(await take(partition, share.length)).toEqual(share);
      expect(partition.stats()).toMatchObject({ lost: 0, duplicates: 0, producers: 1 });
      expect(await partition.drained()).toMatchObject({ connection: 1 });
    }
    expect(sink.stats()).toMatchObject({ published: 1_000, unheard: 0, resent: 0 });
  });

  it.each([
    ["scripts, for a user who may touch a key of the channel's name", ["~clicks"], "eval"],
    ["pipelines, for one who may not", [], "spublish"],
  ])("accepts many rows by %s", async (_way, keys, command) => {
    const control = new Redis(server.url);
    open.push({
      close: async () => {
        await control.quit();
      },
    });
    await control.acl("SETUSER", "sharder", "reset", "on", ">pw", "+@all", "allchannels", ...keys);
    const whole = await subscribeWhole(server.url);
    const user = { url: server.url, username: "sharder", password: "pw" };
    const sink = new RedisPubSubSink(user, { channel: "clicks", transport: "sharded" });
    const part = await sink.buildPart("0", undefined, partContext());
    open.push(part);
    await control.config("RESETSTAT");
    await part.writeBatch(rows(0, 3_000));
    expect(await take(whole, 3_000)).toEqual(rows(0, 3_000));
    const calls = await callsOf(control, "eval");
    expect(calls > 0 ? "eval" : "spublish").toBe(command);
    expect(calls).toBeLessThan(10);
    expect(sink.stats()).toMatchObject({ published: 3_000, unheard: 0, resent: 0 });
  });

  it("does not receive what is published without SPUBLISH, and ends when it is stopped", async () => {
    const partition = await subscribeWhole(server.url);
    const { part } = await sinkTo(server.url, 1);
    const publisher = new Redis(server.url);
    await publisher.publish("clicks", "unsharded");
    publisher.disconnect();
    await part.writeBatch(["a"]);
    partition.stop();
    expect(await takeAll(partition)).toEqual(["a"]);
  });

  it("finds out whether there is a subscriber", async () => {
    const wait = (): Promise<boolean> =>
      waitForSubscriber({ url: server.url }, "clicks", { timeoutMs: 20, transport: "sharded" });
    expect(await wait()).toBe(false);
    await subscribe(server.url, 1);
    expect(await wait()).toBe(true);
  });
});

describe("sharded Pub/Sub on a Redis Cluster", () => {
  let cluster: LocalRedisCluster;
  let nodes: Redis[];

  beforeAll(async () => {
    cluster = await startRedisCluster({ args: ["--cluster-require-full-coverage", "no"] });
    nodes = cluster.nodes.map(({ url }) => new Redis(url, { retryStrategy: () => null }));
    for (const node of nodes) node.on("error", () => undefined);
    clients = nodes;
  }, 30_000);

  afterAll(async () => {
    for (const node of nodes) node.disconnect();
    await cluster.stop();
  });

  /** Index of the node that says that it serves the channel. */
  async function ownerOf(channel: string): Promise<number> {
    const served = await Promise.all(
      nodes.map((node) =>
        node.exists(channel).then(
          () => true,
          () => false,
        ),
      ),
    );
    return served.indexOf(true);
  }

  function url(index: number): string {
    return cluster.nodes[index]?.url ?? "";
  }

  it("spreads partitions over the nodes, whichever node is named", async () => {
    const names = partitionNames("clicks", 6);
    const owners = await Promise.all(names.map(ownerOf));
    expect(new Set(owners).size).toBeGreaterThan(1);
    const parts = await subscribe(url(0), 6);
    const { sink, part } = await sinkTo(url(1), 6);
    const sent = rows(0, 600);
    await part.writeBatch(sent);
    for (const [index, partition] of parts.entries()) {
      const share = shareOf(sent, index, 6);
      expect(await take(partition, share.length)).toEqual(share);
      const channel = names[index] ?? "";
      expect(await nodes[owners[index] ?? 0]?.pubsub("SHARDNUMSUB", channel)).toEqual([channel, 1]);
    }
    expect(sink.stats()).toMatchObject({ published: 600, unheard: 0 });
    expect(
      await waitForSubscriber({ url: url(2) }, "{clicks:5}", { timeoutMs: 20, transport: "sharded" }),
    ).toBe(true);
  });

  it("is not what a pattern gets: that is what is published with PUBLISH, at any node", async () => {
    const source = new RedisPubSubSource({ url: url(0) }, { pattern: "clicks:*" });
    const partition = await source.buildPart("pattern:clicks:*", undefined, partContext());
    open.push(partition);
    await nodes[await ownerOf("clicks:0")]?.spublish("clicks:0", "sharded");
    await nodes[1]?.publish("clicks:0", "a");
    await nodes[2]?.publish("clicks:1", "b");
    expect((await take(partition, 2)).toSorted()).toEqual(["a", "b"]);
    expect(partition.stats()).toMatchObject({ messages: 2 });
  });

  it("accepts many rows with few commands", async () => {
    const whole = await subscribeWhole(url(0));
    const owner = nodes[await ownerOf("clicks")];
    if (owner === undefined) throw new Error("some node serves the channel");
    const sink = new RedisPubSubSink({ url: url(1) }, { channel: "clicks", transport: "sharded" });
    const part = await sink.buildPart("0", undefined, partContext());
    open.push(part);
    await owner.config("RESETSTAT");
    await part.writeBatch(rows(0, 3_000));
    expect(await take(whole, 3_000)).toEqual(rows(0, 3_000));
    const calls = await callsOf(owner, "eval");
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThan(10);
  });

  it("follows a slot that moves, source and sink, and counts what was lost in between", async () => {
    const context = partContext();
    const from = await ownerOf("clicks");
    const partition = await subscribeWhole(url(from), context);
    const { sink, part } = await sinkTo(url(from), 1);
    await part.writeBatch(rows(0, 50));
    expect(await take(partition, 50)).toEqual(rows(0, 50));

    const to = (from + 1) % nodes.length;
    const slot = Number(await nodes[from]?.call("CLUSTER", "KEYSLOT", "clicks"));
    const id = String(await nodes[to]?.call("CLUSTER", "MYID"));
    await nodes[to]?.call(
      "CLUSTER",
      "SETSLOT",
      slot,
      "IMPORTING",
      String(await nodes[from]?.call("CLUSTER", "MYID")),
    );
    await nodes[from]?.call("CLUSTER", "SETSLOT", slot, "MIGRATING", id);
    await nodes[from]?.call(
      "MIGRATE",
      "127.0.0.1",
      cluster.nodes[to]?.port ?? 0,
      "{clicks}:producers",
      0,
      5_000,
    );
    for (const index of [to, from]) await nodes[index]?.call("CLUSTER", "SETSLOT", slot, "NODE", id);
    // The sink moves to the new owner, which may not have a subscriber yet.
    await part.writeBatch(rows(50, 100));
    await context.logger.logged("subscribed", 2);
    await part.writeBatch(rows(100, 150));
    await part.flush();
    const last = rows(149, 150)[0];
    const events: RawLine[] = [];
    while (events.at(-1) !== last) events.push(...(await take(partition, 1)));
    const { read, lost, disconnects } = partition.stats();
    expect(events).toEqual(rows(150 - events.length, 150));
    expect(read + lost).toBe(150);
    expect(disconnects).toBe(1);
    expect(sink.stats()).toMatchObject({ published: 150, disconnects: 1 });
    expect(await partition.drained()).toMatchObject({ connection: 2 });
    expect(await ownerOf("clicks")).toBe(to);
  });

  it("finds the new owner when the configured node dies", async () => {
    const context = partContext();
    const from = await ownerOf("clicks");
    const partition = await subscribeWhole(url(from), context);
    const { part } = await sinkTo(url(from), 1);
    await part.writeBatch(rows(0, 10));
    expect(await take(partition, 10)).toEqual(rows(0, 10));

    const slot = Number(await nodes[from]?.call("CLUSTER", "KEYSLOT", "clicks"));
    await cluster.nodes[from]?.kill();
    const to = (from + 1) % nodes.length;
    // What a replica would do by itself.
    await nodes[to]?.call("CLUSTER", "DELSLOTS", slot);
    await nodes[to]?.call("CLUSTER", "ADDSLOTS", slot);
    await context.logger.logged("subscribed", 2);
    await part.writeBatch(rows(10, 20));
    expect(await take(partition, 10)).toEqual(rows(10, 20));
    expect(partition.stats()).toMatchObject({ read: 20, lost: 0 });
  });
});
