import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedisCluster } from "@millrace/local-redis";
import type { LocalRedisCluster } from "@millrace/local-redis";
import { RedisStore, inspectTask, resetTask } from "@millrace/redis-store";
import { commitOf, largeCommit, put, rowsOut, takeOver } from "./support/commits.ts";

const PARTS = Array.from({ length: 12 }, (_, i) => `{device_events:${i}}`);

let cluster: LocalRedisCluster;
let nodes: readonly Redis[];
let store: RedisStore;

beforeAll(async () => {
  cluster = await startRedisCluster();
  nodes = cluster.nodes.map(({ url }) => new Redis(url));
  store = new RedisStore(seed());
}, 30_000);

afterAll(async () => {
  await store.close();
  for (const node of nodes) node.disconnect();
  await cluster.stop();
});

function seed(): { readonly url: string } {
  return { url: cluster.nodes[0]?.url ?? "" };
}

async function holderOf(key: string): Promise<Redis> {
  for (const node of nodes) {
    if ((await node.keys(key)).length > 0) return node;
  }
  throw new Error(`no node has ${key}`);
}

describe("in a Redis Cluster", () => {
  it("keeps each task where its partition's slot is, and all of it there", async () => {
    for (const part of PARTS) {
      const task = await store.acquire({ flow: "f", part });
      await task.commit(commitOf(1, { changes: [put("w/1", { part })], outputs: [rowsOut(part)] }));
      await task.commit(largeCommit(2, 400));
    }
    const used = new Set<Redis>();
    for (const part of PARTS) {
      const base = `millrace:${part}:f`;
      const node = await holderOf(`${base}:meta`);
      used.add(node);
      expect(await node.exists(`${base}:groups`, `${base}:group:w/1`, `${base}:results:out`)).toBe(3);
      expect((await takeOver(store, { flow: "f", part }))?.groups["w/1"]).toEqual({ part });
    }
    expect(used.size).toBe(3);
  });

  it("inspects and resets a task on whichever node it is", async () => {
    for (const part of PARTS) {
      const task = { flow: "admin", part };
      await (await store.acquire(task)).commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
      expect(await inspectTask(seed(), task)).toMatchObject({
        commitNumber: 1,
        steps: [{ step: "w", fields: 1 }],
      });
      await resetTask(seed(), task, { results: true });
      expect(await takeOver(store, task)).toBeUndefined();
    }
  });

  it("tells subscribers of the shard", async () => {
    const part = "{device_events:1}";
    const channel = `millrace:${part}:told:results:out`;
    const task = await store.acquire({ flow: "told", part });
    const subscriber = (await holderOf(`millrace:${part}:told:meta`)).duplicate();
    const heard = new Promise<string>((resolve) => {
      subscriber.on("smessage", (_channel: string, message: string) => {
        resolve(message);
      });
    });
    await subscriber.ssubscribe(channel);
    const target = { kind: "redis-stream", output: "out", maxLength: 9, notice: "spublish" };
    await task.commit(commitOf(1, { outputs: [{ ...rowsOut(1), target }] }));
    expect(JSON.parse(await heard)).toEqual({ commit: 1, rows: 1 });
    subscriber.disconnect();
  });

  it("waits while its slot moves to another node, follows it, and writes rows once", async () => {
    const part = "{device_events:2}";
    const base = `millrace:${part}:moving`;
    const task = await store.acquire({ flow: "moving", part });
    await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })], outputs: [rowsOut(1)] }));
    const from = await holderOf(`${base}:meta`);
    const to = nodes.find((node) => node !== from) ?? from;
    const slot = Number(await from.call("CLUSTER", "KEYSLOT", part));
    const id = async (node: Redis): Promise<string> => String(await node.call("CLUSTER", "MYID"));
    await to.call("CLUSTER", "SETSLOT", slot, "IMPORTING", await id(from));
    await from.call("CLUSTER", "SETSLOT", slot, "MIGRATING", await id(to));
    const move = async (keys: readonly string[]): Promise<void> => {
      for (const key of keys) await from.call("MIGRATE", "127.0.0.1", to.options.port ?? 0, key, 0, 5_000);
    };
    // The group is gone and the rest still here: the worst moment.
    await move([`${base}:group:w/1`]);
    const committing = task.commit(commitOf(2, { changes: [put("w/1", { b: 2 })], outputs: [rowsOut(2)] }));
    await expect(inspectTask(seed(), { flow: "moving", part }, { retryMs: 100 })).rejects.toThrow(/did not/);
    await move(await from.keys(`*${part}*`));
    for (const node of [to, from, ...nodes])
      await node.call("CLUSTER", "SETSLOT", slot, "NODE", await id(to));
    expect(await committing).toEqual({ kind: "applied" });
    expect(await takeOver(store, { flow: "moving", part })).toMatchObject({
      groups: { "w/1": { a: 1, b: 2 } },
    });
    expect(await to.xlen(`${base}:results:out`)).toBe(2);
  }, 20_000);
});
