import { describe, expect, it } from "@jest/globals";
import { Dataflow, FencedError, IterableSource, run } from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import { freePort } from "@millrace/local-redis";
import {
  RedisClosedError,
  RedisOptionsError,
  RedisRefusedError,
  RedisUnreachableError,
} from "@millrace/redis-source";
import {
  DEFAULT_REDIS_STORE_OPTIONS,
  DEFAULT_TASK_ACCESS_OPTIONS,
  RedisStore,
  RedisStreamResultSink,
  StoreUnavailableError,
  inspectTask,
  resetTask,
} from "@millrace/redis-store";
import {
  BASE,
  TASK,
  commitOf,
  largeCommit,
  plain,
  put,
  rowsOut,
  rowsTo,
  takeOver,
} from "./support/commits.ts";
import { cuttingProxy } from "./support/cutting-proxy.ts";
import { HurriedTime } from "./support/hurried-time.ts";
import { clientOf, refusedWith, rowsIn, serverOf, storeOf } from "./support/servers.ts";

const RESULTS = `${BASE}:results:out`;

describe("what a commit costs", () => {
  it.each([
    ["few fields", 3],
    ["as many fields as time zones", 72],
    ["nearly as many as one call carries", 150],
  ])("is one command, with %s", async (_, size) => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    // Redis caches the script.
    await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
    const client = clientOf(server);
    await client.config("RESETSTAT");
    for (let number = 2; number < 12; number++) await task.commit(largeCommit(number, size));
    const stats = await client.info("commandstats");
    expect(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]).toBe("10");
    expect(stats).not.toMatch(/cmdstat_eval:/);
  });
});

describe("an option that is undefined", () => {
  it("has its default", async () => {
    const server = await serverOf();
    const undefinedAll = (defaults: object): object =>
      Object.fromEntries(Object.keys(defaults).map((name) => [name, undefined]));
    const store = storeOf(server, undefinedAll(DEFAULT_REDIS_STORE_OPTIONS));
    const sink = new RedisStreamResultSink(store, { maxLength: undefined } as object);
    const flow = new Dataflow("undefined");
    flow.input("in", new IterableSource([1])).output("out", sink);
    await run(flow, { store });
    const task = { flow: "undefined", part: "iterable" };
    const redis = { url: server.url };
    const access = undefinedAll(DEFAULT_TASK_ACCESS_OPTIONS);
    expect(await inspectTask(redis, task, access)).toMatchObject({ commitNumber: 2 });
    expect(await rowsIn(clientOf(server), "millrace:{iterable}:undefined:results:out")).toEqual([1]);
  });
});

describe("outcomes", () => {
  it("stops an old owner for good, also one that only resends", async () => {
    const server = await serverOf();
    const zombie = await storeOf(server).acquire(TASK);
    await zombie.commit(commitOf(1));
    const owner = await storeOf(server).acquire(TASK);
    expect(await zombie.commit(commitOf(1))).toEqual({ kind: "fenced", owner: owner.fence });
    expect(await zombie.commit(largeCommit(2))).toEqual({ kind: "fenced", owner: owner.fence });
    await expect(zombie.load()).rejects.toBeInstanceOf(FencedError);
    expect(plain(await owner.load())?.commitNumber).toBe(1);
    expect(await clientOf(server).exists(RESULTS, `${BASE}:staged`)).toBe(0);
  });

  it("keeps that a close has more pages", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    await task.commit(commitOf(1, { partial: true, position: { id: "7-0" } }));
    expect(await takeOver(storeOf(server))).toMatchObject({ partial: true, position: { id: "7-0" } });
    const owner = await storeOf(server).acquire(TASK);
    await owner.commit(commitOf(2, { position: { id: "7-0" } }));
    expect(await takeOver(storeOf(server))).toMatchObject({ partial: false, commitNumber: 2 });
  });

  it("reports the size of what it sent, with all pieces of a large commit", async () => {
    const task = await storeOf(await serverOf()).acquire(TASK);
    const sizeOf = async (number: number, fields: number): Promise<number> => {
      const values = Object.fromEntries(
        Array.from({ length: fields }, (_, i) => [`key-${i}`, "x".repeat(100)]),
      );
      const outcome = await task.commit(commitOf(number, { changes: [put("w/1", values)] }));
      return outcome.kind === "applied" ? (outcome.bytes ?? NaN) : NaN;
    };
    const small = await sizeOf(1, 0);
    expect(small).toBeLessThan(1_000);
    for (const [number, fields] of [
      [2, 10],
      [3, 30_000],
    ] as const) {
      const perField = ((await sizeOf(number, fields)) - small) / fields;
      expect(perField).toBeGreaterThan(100);
      expect(perField).toBeLessThan(200);
    }
  });

  it("reports a commit whose answer was lost as applied, and writes its rows once", async () => {
    const server = await serverOf();
    const proxy = await cuttingProxy(server);
    const task = await storeOf(proxy).acquire(TASK);
    // The first call of a script is refused (NOSCRIPT) and sent again as text.
    await task.commit(commitOf(1));
    proxy.cutAnswer(1);
    const lost = commitOf(2, { changes: [put("w/1", { a: 1 })], outputs: [rowsOut({ n: 2 })] });
    expect(await task.commit(lost)).toEqual({ kind: "already-applied" });
    expect(await rowsIn(clientOf(server), RESULTS)).toEqual([{ n: 2 }]);
    expect(await task.commit(commitOf(3))).toMatchObject({ kind: "applied" });
  });

  it("continues after a Redis with persistence was killed and restarted", async () => {
    const server = await serverOf({ args: ["--appendonly", "yes", "--appendfsync", "always"] });
    const task = await storeOf(server).acquire(TASK);
    await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
    await server.kill();
    const committing = task.commit(commitOf(2, { changes: [put("w/1", { b: 2 })] }));
    await server.restart();
    expect(await committing).toMatchObject({ kind: "applied" });
    expect((await takeOver(storeOf(server)))?.groups).toEqual({ "w/1": { a: 1, b: 2 } });
  });

  it("makes a task reload if Redis was restored from an older copy, and continues from there", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
    await clientOf(server).save();
    await task.commit(commitOf(2, { changes: [put("w/1", { b: 2 })] }));
    await task.commit(commitOf(3));
    await server.kill();
    await server.restart();
    expect(await task.commit(commitOf(4))).toEqual({ kind: "rolled-back", stored: 1 });
    expect(await task.commit(largeCommit(4))).toEqual({ kind: "rolled-back", stored: 1 });
    const again = await storeOf(server).acquire(TASK);
    expect(plain(await again.load())).toMatchObject({ commitNumber: 1, groups: { "w/1": { a: 1 } } });
    expect(await again.commit(commitOf(2))).toMatchObject({ kind: "applied" });
  });

  it("returns a fence above all earlier ones, even if Redis forgot them", async () => {
    const server = await serverOf();
    const zombie = await storeOf(server).acquire(TASK);
    await zombie.commit(commitOf(1));
    await clientOf(server).flushall();
    const owner = await storeOf(server).acquire(TASK);
    expect(owner.fence).toBeGreaterThan(zombie.fence);
    await owner.commit(commitOf(1));
    expect(await zombie.commit(commitOf(2))).toEqual({ kind: "fenced", owner: owner.fence });
  });

  it("continues to commit if only the fence was lost with the server's memory", async () => {
    const server = await serverOf();
    await (await storeOf(server).acquire(TASK)).commit(commitOf(1));
    await clientOf(server).save();
    const owner = await storeOf(server).acquire(TASK);
    await owner.load();
    await server.kill();
    await server.restart();
    expect(await owner.commit(commitOf(2))).toMatchObject({ kind: "applied" });
    expect(await clientOf(server).hget(`${BASE}:meta`, "fence")).toBe(String(owner.fence));
  });
});

describe("failures", () => {
  it("tries the first connection only for connectTimeoutMs", async () => {
    const port = await freePort();
    const url = `redis://127.0.0.1:${port}`;
    const store = new RedisStore({ url, connectTimeoutMs: 200 }, { storeTimeoutMs: 60_000 });
    await expect(store.acquire(TASK)).rejects.toThrow(RedisUnreachableError);
    await store.close();
  });

  it("waits for a server that is suspended, and commits once when it continues", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    await server.kill("SIGSTOP");
    const committing = task.commit(commitOf(1, { outputs: [rowsOut(1)] }));
    await server.kill("SIGCONT");
    expect((await committing).kind).toMatch(/applied/);
    expect(await rowsIn(clientOf(server), RESULTS)).toEqual([1]);
  });

  it("waits while Redis is out of memory, and leaves nothing half done", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const time = new HurriedTime();
    const task = await storeOf(server, { time, storeTimeoutMs: 60_000 }).acquire(TASK);
    await client.config("SET", "maxmemory", "1");
    const committing = task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
    const failed = expect(committing).rejects.toMatchObject({
      code: StoreUnavailableError.code,
      message: expect.stringContaining("OOM"),
    });
    await refusedWith(client, "OOM");
    time.skip(60_000);
    await failed;
    await client.config("SET", "maxmemory", "0");
    expect((await takeOver(storeOf(server)))?.groups).toBeUndefined();
  });

  it("refuses a user that lacks a permission before anything is half done", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const user = async (...rules: readonly string[]): Promise<{ readonly url: string }> => {
      await client.call("ACL", "SETUSER", "ana", "reset", "on", ">pw", "~millrace:*", ...rules);
      return { url: `redis://ana:pw@127.0.0.1:${server.port}` };
    };
    const noStreams = storeOf(await user("+@all", "-xadd"));
    await expect(noStreams.acquire(TASK)).rejects.toBeInstanceOf(RedisRefusedError);
    const noChannels = await storeOf(await user("+@all")).acquire(TASK);
    const withNotice = rowsTo({ notice: "publish" }, 1);
    await expect(noChannels.commit(commitOf(1, { outputs: [withNotice] }))).rejects.toThrow(/ACL SETUSER/);
    expect(await client.exists(RESULTS)).toBe(0);
  });

  it("needs no more permissions than the README names", async () => {
    const server = await serverOf();
    const rules =
      "~millrace:* +@read +@write +@scripting +@connection +info +time &millrace:* +publish +spublish";
    await clientOf(server).call("ACL", "SETUSER", "ana", "reset", "on", ">pw", ...rules.split(" "));
    const url = `redis://ana:pw@127.0.0.1:${server.port}`;
    const withNotice = rowsTo({ notice: "publish" }, 1);
    const task = await storeOf({ url }).acquire(TASK);
    await task.commit(commitOf(1, { outputs: [withNotice] }));
    await task.commit(largeCommit(2));
    expect((await takeOver(storeOf({ url })))?.commitNumber).toBe(2);
    expect(await inspectTask({ url }, TASK)).toMatchObject({ commitNumber: 2 });
    expect(await resetTask({ url }, TASK, { results: true })).toMatchObject({ resultKeys: 1 });
  });

  it("refuses rows of a sink of another store", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    const outputs = [{ step: "out", target: { kind: "postgres" }, rows: [1] }];
    await expect(task.commit(commitOf(1, { outputs }))).rejects.toThrow(/"out".*another store/);
  });

  it("ends a running commit when the store is closed", async () => {
    const server = await serverOf();
    const store = storeOf(server);
    const task = await store.acquire(TASK);
    await server.kill();
    const committing = task.commit(commitOf(1));
    await Promise.all([expect(committing).rejects.toBeInstanceOf(RedisClosedError), store.close()]);
    await expect(store.acquire(TASK)).rejects.toBeInstanceOf(RedisClosedError);
    await store.close();
  });

  it("closes one task without the others", async () => {
    const store = storeOf(await serverOf());
    const [one, other] = [await store.acquire(TASK), await store.acquire({ ...TASK, flow: "other" })];
    await one.close();
    await one.close();
    await expect(one.commit(commitOf(1))).rejects.toBeInstanceOf(RedisClosedError);
    expect(await other.commit(commitOf(1))).toMatchObject({ kind: "applied" });
  });

  it("acquires one fence for an owner, whether or not the answer was lost", async () => {
    const server = await serverOf();
    const proxy = await cuttingProxy(server);
    const store = storeOf(proxy);
    await store.acquire(TASK);
    proxy.cutAnswer(1);
    const task = await store.acquire(TASK);
    expect(await clientOf(server).hget(`${BASE}:meta`, "fence")).toBe(String(task.fence));
    expect(await task.commit(commitOf(1))).toMatchObject({ kind: "applied" });
  });

  it.each([
    ["a prefix that would move the slot", { keyPrefix: "{a}" }],
    ["no room for a commit", { maxCommitBytes: 0 }],
    ["no patience", { storeTimeoutMs: Number.NaN }],
  ])("refuses %s", (_, options) => {
    expect(() => new RedisStore({}, options)).toThrow(RedisOptionsError);
  });
});

describe("a load", () => {
  it("reads groups and fields of any number in pages", async () => {
    const server = await serverOf();
    const store = storeOf(server, { pageFields: 7 });
    const task = await store.acquire(TASK);
    const groups = Object.fromEntries(
      Array.from({ length: 300 }, (_, g) => [
        `w/${g}`,
        Object.fromEntries(Array.from({ length: g === 7 ? 1_000 : 3 }, (_, f) => [`f${f}`, f])),
      ]),
    );
    await task.commit(
      commitOf(1, { changes: Object.entries(groups).map(([group, fields]) => put(group, fields)) }),
    );
    expect((await takeOver(store))?.groups).toEqual(groups);
  });

  it("fails as fenced if a newer owner acquired the task in between", async () => {
    const server = await serverOf();
    const proxy = await cuttingProxy(server);
    const task = await storeOf(proxy).acquire(TASK);
    await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
    proxy.before("hscan", async () => {
      const owner = await storeOf(server).acquire(TASK);
      await owner.commit(commitOf(2, { changes: [put("w/1", { b: 2 })] }));
    });
    await expect(task.load()).rejects.toBeInstanceOf(FencedError);
  });

  it("starts again if the connection breaks", async () => {
    const server = await serverOf();
    const proxy = await cuttingProxy(server);
    const task = await storeOf(proxy, { pageFields: 100 }).acquire(TASK);
    await task.commit(largeCommit(1));
    const client = clientOf(server);
    proxy.before("hscan", () => client.client("KILL", "TYPE", "normal", "SKIPME", "yes"));
    expect(Object.keys(plain(await task.load())?.groups["w/1"] ?? {})).toHaveLength(3_000);
  });

  it("starts again if another commit came in between", async () => {
    const server = await serverOf();
    const proxy = await cuttingProxy(server);
    const older = await storeOf(server).acquire(TASK);
    await older.commit(commitOf(1, { changes: [put("w/1", { a: 1 }), put("w/2", { a: 1 })] }));
    const task = await storeOf(proxy).acquire(TASK);
    // A Redis that lost its memory may have forgotten the newer owner; then the older one continues to commit.
    await clientOf(server).hset(`${BASE}:meta`, "fence", older.fence);
    const changes = [{ group: "w/1", drop: true } as const, put("w/2", { b: 2 })];
    const overtake = (): Promise<unknown> => older.commit(commitOf(2, { changes }));
    // The list of groups is read first, then each of them.
    proxy.before("hscan", () => {
      proxy.before("hscan", overtake);
      return Promise.resolve();
    });
    expect(plain(await task.load())).toMatchObject({ commitNumber: 2, groups: { "w/2": { a: 1, b: 2 } } });
  });

  it("takes as long as it needs, so long as Redis answers", async () => {
    const server = await serverOf();
    const proxy = await cuttingProxy(server);
    const time = new VirtualTime();
    const task = await storeOf(proxy, { storeTimeoutMs: 1_000, time }).acquire(TASK);
    await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 }), put("w/2", { a: 1 })] }));
    let pages = 0;
    const slow = (): Promise<void> => {
      pages += 1;
      time.set(time.now() + 900);
      proxy.before("hscan", slow);
      return Promise.resolve();
    };
    proxy.before("hscan", slow);
    expect(plain(await task.load())?.groups).toEqual({ "w/1": { a: 1 }, "w/2": { a: 1 } });
    expect(pages).toBe(3);
  });
});

describe("a look", () => {
  it("uses the connection of the acquire that follows, and returns nothing for a task that never committed", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const store = storeOf(server);
    const connections = async (): Promise<number> =>
      String(await client.client("LIST"))
        .split("\n")
        .filter((line) => line.includes("store")).length;
    expect(await store.look(TASK)).toBeUndefined();
    const task = await store.acquire(TASK);
    expect(await connections()).toBe(1);
    await task.commit(commitOf(1));
    expect(await store.look(TASK)).toMatchObject({ commitNumber: 1, position: { id: "1-0" } });
    expect(await store.look(TASK)).toMatchObject({ commitNumber: 1 });
    expect(await connections()).toBe(1);
    expect(await task.commit(commitOf(2))).toMatchObject({ kind: "applied" });
    await store.close();
    while ((await connections()) > 0);
  });

  it("needs no permission to write, and neither does an inspection", async () => {
    const server = await serverOf();
    await (await storeOf(server).acquire(TASK)).commit(commitOf(1));
    const rules = ["%R~millrace:*", "+@read", "+@scripting", "+@connection"];
    await clientOf(server).call("ACL", "SETUSER", "ana", "on", ">pw", ...rules);
    const url = `redis://ana:pw@127.0.0.1:${server.port}`;
    const store = storeOf({ url });
    expect(await inspectTask({ url }, TASK)).toMatchObject({ commitNumber: 1 });
    expect(await store.look(TASK)).toMatchObject({ commitNumber: 1 });
    await expect(store.acquire(TASK)).rejects.toBeInstanceOf(RedisRefusedError);
  });
});
