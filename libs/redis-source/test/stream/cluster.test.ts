import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedisCluster } from "@millrace/local-redis";
import type { LocalRedisCluster } from "@millrace/local-redis";
import { RedisStreamSink, RedisStreamSource, partitionOf } from "@millrace/redis-source";
import { partContext } from "../support/part-context.ts";
import { lines } from "../support/stream-bench.ts";
import { take } from "../support/take.ts";

let cluster: LocalRedisCluster;
let nodes: Redis[];

beforeAll(async () => {
  cluster = await startRedisCluster();
  nodes = cluster.nodes.map(({ url }) => new Redis(url, { disconnectTimeout: 0 }));
}, 30_000);

afterAll(async () => {
  for (const node of nodes) node.disconnect();
  await cluster.stop();
});

/** The address of one node: each knows the others. */
function anyNode(index = 0): { readonly url: string } {
  return { url: cluster.nodes[index]?.url ?? "" };
}

async function ownerOf(stream: string): Promise<number> {
  const slot = await nodes[0]?.cluster("KEYSLOT", stream);
  const ranges = (await nodes[0]?.cluster("SLOTS")) as unknown as [number, number, [string, number]][];
  const port = ranges.find(([from, to]) => Number(slot) >= from && Number(slot) <= to)?.[2][1];
  return cluster.nodes.findIndex((node) => node.port === port);
}

/** Moves the slot of a key to another node. */
async function move(key: string, from: number, to: number): Promise<void> {
  const slot = Number(await nodes[from]?.cluster("KEYSLOT", key));
  const source = nodes[from];
  const target = nodes[to];
  const targetPort = cluster.nodes[to]?.port ?? 0;
  const [sourceId = "", targetId = ""] = await Promise.all(
    [source, target].map(async (node) => String(await node?.cluster("MYID"))),
  );
  await target?.call("CLUSTER", "SETSLOT", slot, "IMPORTING", sourceId);
  await source?.call("CLUSTER", "SETSLOT", slot, "MIGRATING", targetId);
  await source?.call("MIGRATE", "127.0.0.1", targetPort, key, 0, 5_000);
  for (const node of nodes) await node.call("CLUSTER", "SETSLOT", slot, "NODE", targetId);
}

describe("on a cluster", () => {
  it("writes and reads every partition at the node that has it, whichever node is named", async () => {
    const keyOf = (row: string | Uint8Array): string => String(row);
    const options = { stream: "clicks", partitions: 6 };
    const sink = new RedisStreamSink(anyNode(2), { ...options, keyOf, lingerMs: 0, frames: true });
    const part = await sink.buildPart("0", undefined, partContext());
    await part.writeBatch(lines(0, 300));
    await part.close();
    const source = new RedisStreamSource(anyNode(1), { ...options, group: "g", trim: true });
    const owners = new Set<number>();
    for (const [index, name] of (await source.listParts()).entries()) {
      owners.add(await ownerOf(name));
      const expected = lines(0, 300).filter((line) => partitionOf(line, 6) === index);
      const partition = await source.buildPart(name, undefined, partContext());
      expect(await take(partition, expected.length)).toEqual(expected);
      await partition.committed(partition.snapshot());
      await partition.close();
    }
    expect(owners.size).toBeGreaterThan(1);
  });

  it("follows a stream that moves to another node, reading and writing", async () => {
    const stream = "mover";
    const from = await ownerOf(stream);
    const to = (from + 1) % 3;
    const context = partContext();
    const sink = new RedisStreamSink(anyNode(from), { stream });
    const part = await sink.buildPart("0", undefined, context);
    const source = new RedisStreamSource(anyNode(from), { stream, blockMs: 100 });
    const partition = await source.buildPart(stream, undefined, context);
    await part.writeBatch(lines(0, 10));
    expect(await take(partition, 10)).toEqual(lines(0, 10));
    const rest = take(partition, 20);
    await move(stream, from, to);
    await part.writeBatch(lines(10, 30));
    expect(await rest).toEqual(lines(10, 30));
    expect(await nodes[to]?.xlen(stream)).toBe(30);
    expect(await partition.drained()).toBeDefined();
    expect(partition.stats()).toMatchObject({ read: 30, lost: 0, lostEntries: 0, lag: 0 });
    await partition.close();
    await part.close();
  });

  it("needs the node that was named only to find the others", async () => {
    const stream = "apart";
    const owner = await ownerOf(stream);
    const named = (owner + 1) % 3;
    const context = partContext();
    const source = new RedisStreamSource(anyNode(named), { stream });
    const partition = await source.buildPart(stream, undefined, context);
    await cluster.nodes[named]?.kill();
    await nodes[owner]?.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await context.logger.logged("redis-back", 2);
    await nodes[owner]?.xadd(stream, "*", "data", "a");
    expect(await take(partition, 1)).toEqual(["a"]);
    await partition.close();
  });
});
