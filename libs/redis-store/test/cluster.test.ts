import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedisCluster } from "@millrace/local-redis";
import type { LocalRedisCluster } from "@millrace/local-redis";
import { SILENT_LOGGER, SYSTEM_TIME } from "@millrace/dataflow";
import { RedisStore, inspectTask, inspectWorkers, resetTask } from "@millrace/redis-store";
import { GroupKeys } from "../src/assignment/group-keys.ts";
import { RedisLeaseTable } from "../src/assignment/redis-lease-table.ts";
import { commitOf, largeCommit, put, rowsOut, rowsTo, takeOver } from "./support/commits.ts";

const PARTS = Array.from({ length: 12 }, (_, i) => `{device_events:${i}}`);

let cluster: LocalRedisCluster;
let nodes: readonly Redis[];
let store: RedisStore;

beforeAll(async () => {
  cluster = await startRedisCluster();
  nodes = cluster.nodes.map(({ url }) => new Redis(url));
  store = new RedisStore(seed(), { maxCallBytes: 1 });
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
  it("keeps all keys of a task in its partition's slot", async () => {
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

  it("gives each task a connection to its own node, closed with it, whatever the others do", async () => {
    const own = new RedisStore(seed());
    const connections = async (): Promise<number> => {
      const lists = await Promise.all(nodes.map(async (node) => String(await node.client("LIST"))));
      return lists.join("\n").split("name=millrace_store ").length - 1;
    };
    const before = await connections();
    try {
      const opened = await Promise.all(PARTS.map((part) => own.acquire({ flow: "own", part })));
      expect((await connections()) - before).toBe(PARTS.length);
      const opening = own.acquire({ flow: "own", part: "{device_events:99}" });
      await opened[0]?.close();
      await (await opening).close();
      for (const task of opened.slice(1)) {
        expect(await task.commit(commitOf(1))).toMatchObject({ kind: "applied" });
      }
    } finally {
      await own.close();
    }
  });

  it("shares the tasks of flows whose groups are on any node", async () => {
    for (const flow of ["f", "g", "h", "i", "j", "k"]) {
      const context = { flow, parts: PARTS, logger: SILENT_LOGGER, time: SYSTEM_TIME };
      const keys = new GroupKeys(flow);
      const tables = ["a", "b"].map(() => new RedisLeaseTable(seed(), keys, context));
      try {
        for (const table of tables) await table.beat({ worker: "a", leaseMs: 30_000, leaving: false });
        await (await holderOf(keys.about)).hset(keys.about, "formed", 0);
        const { owned } = (await tables[0]?.beat({ worker: "a", leaseMs: 30_000, leaving: false })) ?? {};
        expect(owned).toEqual(PARTS);
        await tables[0]?.release("a", PARTS[0] ?? "");
        expect(await inspectWorkers(seed(), flow)).toMatchObject([{ worker: "a", parts: PARTS.slice(1) }]);
        await tables[0]?.leave("a");
        expect(await inspectWorkers(seed(), flow)).toEqual([]);
      } finally {
        await Promise.all(tables.map((table) => table.close()));
      }
    }
  });

  it("inspects and resets a task on any node", async () => {
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

  it("notifies subscribers of the shard", async () => {
    const part = "{device_events:1}";
    const channel = `millrace:${part}:notified:results:out`;
    const task = await store.acquire({ flow: "notified", part });
    const subscriber = (await holderOf(`millrace:${part}:notified:meta`)).duplicate();
    const heard = new Promise<string>((resolve) => {
      subscriber.on("smessage", (_channel: string, message: string) => {
        resolve(message);
      });
    });
    await subscriber.ssubscribe(channel);
    await task.commit(commitOf(1, { outputs: [rowsTo({ notice: "spublish" }, 1)] }));
    expect(JSON.parse(await heard)).toEqual({ commit: 1, rows: 1 });
    subscriber.disconnect();
  });

  it.each([
    ["small", "before-commit", 2],
    ["large", "staged", 400],
    ["large", "made", 400],
  ] as const)(
    "carries a %s commit over a move of its slot that begins at %s",
    async (_, point, size) => {
      const part = `{device_events:${point}}`;
      const base = `millrace:${part}:moving`;
      const numbers = Array.from({ length: size }, (__, i) => i);
      const task = await store.acquire({ flow: "moving", part });
      await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })], outputs: [rowsOut("first")] }));
      const from = await holderOf(`${base}:meta`);
      const to = nodes.find((node) => node !== from) ?? from;
      const move = new SlotMove(part, from, to);
      let begun = false;
      const moving = new RedisStore(seed(), {
        maxCallBytes: 1,
        failPoint: async (name) => {
          if (name !== point || begun) return;
          begun = true;
          await move.begin();
          // The state is moving and the rest is still here: the worst moment.
          await move.keys([`${base}:group:w/1`]);
        },
      });
      try {
        const owner = await moving.acquire({ flow: "moving", part });
        await from.config("RESETSTAT");
        const committing = owner.commit(
          commitOf(2, {
            changes: [{ group: "w/1", put: numbers.map((i) => [`key ${i}`, i]) }],
            outputs: [rowsOut(...numbers)],
          }),
        );
        await refused(from);
        await move.finish();
        expect((await committing).kind).toMatch(/applied$/);
      } finally {
        await moving.close();
      }
      const state = await takeOver(store, { flow: "moving", part });
      expect(Object.keys(state?.groups["w/1"] ?? {})).toHaveLength(size + 1);
      expect(await to.xlen(`${base}:results:out`)).toBe(size + 1);
    },
    20_000,
  );
});

/** Resolves when a node has refused a call because some of its keys are on another node. */
async function refused(node: Redis): Promise<void> {
  while (!(await node.info("errorstats")).includes("errorstat_TRYAGAIN"));
}

/** Moves a slot to another node, step by step. */
class SlotMove {
  readonly #part: string;
  readonly #from: Redis;
  readonly #to: Redis;

  constructor(part: string, from: Redis, to: Redis) {
    this.#part = part;
    this.#from = from;
    this.#to = to;
  }

  async begin(): Promise<void> {
    await this.#setSlot(this.#to, "IMPORTING", this.#from);
    await this.#setSlot(this.#from, "MIGRATING", this.#to);
  }

  async keys(names: readonly string[]): Promise<void> {
    const { port = 0 } = this.#to.options;
    for (const name of names) await this.#from.call("MIGRATE", "127.0.0.1", port, name, 0, 5_000);
  }

  async finish(): Promise<void> {
    await this.keys(await this.#from.keys(`*${this.#part}*`));
    const others = nodes.filter((node) => node !== this.#to && node !== this.#from);
    for (const node of [this.#to, this.#from, ...others]) await this.#setSlot(node, "NODE", this.#to);
  }

  async #setSlot(node: Redis, state: string, peer: Redis): Promise<void> {
    const slot = Number(await node.call("CLUSTER", "KEYSLOT", this.#part));
    await node.call("CLUSTER", "SETSLOT", slot, state, String(await peer.call("CLUSTER", "MYID")));
  }
}
