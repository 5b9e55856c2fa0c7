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
import { clientOf, rowsIn, serverOf, storeOf } from "./support/servers.ts";

const RESULTS = `${BASE}:results:out`;

describe("what a commit costs", () => {
  it.each([
    ["few fields", 3],
    ["as many fields as time zones", 72],
    ["nearly as many as one call carries", 150],
  ])("is one command, with %s", async (_, size) => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    // Redis gets to know the script.
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
  it("stops a zombie for good, also one that only resends", async () => {
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

  it("keeps that a close is half done", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    await task.commit(commitOf(1, { partial: true, position: { id: "7-0" } }));
    expect(await takeOver(storeOf(server))).toMatchObject({ partial: true, position: { id: "7-0" } });
    const owner = await storeOf(server).acquire(TASK);
    await owner.commit(commitOf(2, { position: { id: "7-0" } }));
    expect(await takeOver(storeOf(server))).toMatchObject({ partial: false, commitNumber: 2 });
  });

  it("takes a commit whose answer was lost for applied, and writes its rows once", async () => {
    const server = await serverOf();
    const proxy = await cuttingProxy(server);
    const task = await storeOf(proxy).acquire(TASK);
    // The first call of a script is refused (NOSCRIPT) and sent again as text.
    await task.commit(commitOf(1));
    proxy.cutAnswer(1);
    const lost = commitOf(2, { changes: [put("w/1", { a: 1 })], outputs: [rowsOut({ n: 2 })] });
    expect(await task.commit(lost)).toEqual({ kind: "already-applied" });
    expect(await rowsIn(clientOf(server), RESULTS)).toEqual([{ n: 2 }]);
    expect(await task.commit(commitOf(3))).toEqual({ kind: "applied" });
  });

  it("goes on after a Redis that persists was killed and started again", async () => {
    const server = await serverOf({ args: ["--appendonly", "yes", "--appendfsync", "always"] });
    const task = await storeOf(server).acquire(TASK);
    await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
    await server.kill();
    const committing = task.commit(commitOf(2, { changes: [put("w/1", { b: 2 })] }));
    await server.restart();
    expect(await committing).toEqual({ kind: "applied" });
    expect((await takeOver(storeOf(server)))?.groups).toEqual({ "w/1": { a: 1, b: 2 } });
  });

  it("tells a task whose Redis was restored from an older copy to reload, and goes on from there", async () => {
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
    expect(await again.commit(commitOf(2))).toEqual({ kind: "applied" });
  });

  it("gives a fence above all before, even where Redis forgot them", async () => {
    const server = await serverOf();
    const zombie = await storeOf(server).acquire(TASK);
    await zombie.commit(commitOf(1));
    await clientOf(server).flushall();
    const owner = await storeOf(server).acquire(TASK);
    expect(owner.fence).toBeGreaterThan(zombie.fence);
    await owner.commit(commitOf(1));
    expect(await zombie.commit(commitOf(2))).toEqual({ kind: "fenced", owner: owner.fence });
  });

  it("commits on when only the fence was lost with the server's memory", async () => {
    const server = await serverOf();
    await (await storeOf(server).acquire(TASK)).commit(commitOf(1));
    await clientOf(server).save();
    const owner = await storeOf(server).acquire(TASK);
    await owner.load();
    await server.kill();
    await server.restart();
    expect(await owner.commit(commitOf(2))).toEqual({ kind: "applied" });
    expect(await clientOf(server).hget(`${BASE}:meta`, "fence")).toBe(String(owner.fence));
  });
});

describe("trouble", () => {
  it("fails with a code of its own when Redis stays away, and says what happened", async () => {
    const server = await serverOf();
    const task = await storeOf(server, { storeTimeoutMs: 300 }).acquire(TASK);
    await server.kill();
    const failure = await task.commit(commitOf(1)).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(StoreUnavailableError);
    expect(failure).toMatchObject({ code: "MILLRACE_STORE_UNAVAILABLE", retryable: true });
    expect(String(failure)).toMatch(/did not take a commit within 300 ms/);
  });

  it("tries for the first connection only as long as that may take", async () => {
    const port = await freePort();
    const url = `redis://127.0.0.1:${port}`;
    const store = new RedisStore({ url, connectTimeoutMs: 200 }, { storeTimeoutMs: 60_000 });
    await expect(store.acquire(TASK)).rejects.toThrow(RedisUnreachableError);
    await store.close();
  });

  it("waits for a server that stands still, and commits once when it moves again", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    await server.kill("SIGSTOP");
    const committing = task.commit(commitOf(1, { outputs: [rowsOut(1)] }));
    await server.kill("SIGCONT");
    expect((await committing).kind).toMatch(/applied/);
    expect(await rowsIn(clientOf(server), RESULTS)).toEqual([1]);
  });

  it("waits while Redis has no memory to give, and leaves nothing half done", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const task = await storeOf(server, { storeTimeoutMs: 300 }).acquire(TASK);
    await client.config("SET", "maxmemory", "1");
    const committing = task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
    await expect(committing).rejects.toThrow(StoreUnavailableError);
    await expect(committing).rejects.toThrow(/OOM/);
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
    const told = rowsTo({ notice: "publish" }, 1);
    await expect(noChannels.commit(commitOf(1, { outputs: [told] }))).rejects.toThrow(/ACL SETUSER/);
    expect(await client.exists(RESULTS)).toBe(0);
  });

  it("needs no more permissions than the README names", async () => {
    const server = await serverOf();
    const rules =
      "~millrace:* +@read +@write +@scripting +@connection +info +time &millrace:* +publish +spublish";
    await clientOf(server).call("ACL", "SETUSER", "ana", "reset", "on", ">pw", ...rules.split(" "));
    const url = `redis://ana:pw@127.0.0.1:${server.port}`;
    const told = rowsTo({ notice: "publish" }, 1);
    const task = await storeOf({ url }).acquire(TASK);
    await task.commit(commitOf(1, { outputs: [told] }));
    await task.commit(largeCommit(2));
    expect((await takeOver(storeOf({ url })))?.commitNumber).toBe(2);
    expect(await inspectTask({ url }, TASK)).toMatchObject({ commitNumber: 2 });
    expect(await resetTask({ url }, TASK, { results: true })).toMatchObject({ resultKeys: 1 });
  });

  it("refuses rows that a sink of another store hands over", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    const outputs = [{ step: "out", target: { kind: "postgres" }, rows: [1] }];
    await expect(task.commit(commitOf(1, { outputs }))).rejects.toThrow(/"out".*another store/);
  });

  it("ends a commit under way when the store is closed", async () => {
    const server = await serverOf();
    const store = storeOf(server);
    const task = await store.acquire(TASK);
    await server.kill();
    const committing = task.commit(commitOf(1));
    await Promise.all([expect(committing).rejects.toBeInstanceOf(RedisClosedError), store.close()]);
    await expect(store.acquire(TASK)).rejects.toBeInstanceOf(RedisClosedError);
    await store.close();
  });

  it("lets one task go without the others", async () => {
    const store = storeOf(await serverOf());
    const [one, other] = [await store.acquire(TASK), await store.acquire({ ...TASK, flow: "other" })];
    await one.close();
    await one.close();
    await expect(one.commit(commitOf(1))).rejects.toBeInstanceOf(RedisClosedError);
    expect(await other.commit(commitOf(1))).toEqual({ kind: "applied" });
  });

  it("asks one owner's fence once, whether or not the answer was lost", async () => {
    const server = await serverOf();
    const proxy = await cuttingProxy(server);
    const store = storeOf(proxy);
    await store.acquire(TASK);
    proxy.cutAnswer(1);
    const task = await store.acquire(TASK);
    expect(await clientOf(server).hget(`${BASE}:meta`, "fence")).toBe(String(task.fence));
    expect(await task.commit(commitOf(1))).toEqual({ kind: "applied" });
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

  it("fails as fenced when a newer owner took the task meanwhile", async () => {
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

  it("starts again when the connection breaks on the way", async () => {
    const server = await serverOf();
    const proxy = await cuttingProxy(server);
    const task = await storeOf(proxy, { pageFields: 100 }).acquire(TASK);
    await task.commit(largeCommit(1));
    const client = clientOf(server);
    proxy.before("hscan", () => client.client("KILL", "TYPE", "normal", "SKIPME", "yes"));
    expect(Object.keys(plain(await task.load())?.groups["w/1"] ?? {})).toHaveLength(3_000);
  });

  it("starts again when another commit came in between", async () => {
    const server = await serverOf();
    const proxy = await cuttingProxy(server);
    const older = await storeOf(server).acquire(TASK);
    await older.commit(commitOf(1, { changes: [put("w/1", { a: 1 }), put("w/2", { a: 1 })] }));
    const task = await storeOf(proxy).acquire(TASK);
    // A Redis that lost its memory may have forgotten the newer owner; then the older one commits on.
    await clientOf(server).hset(`${BASE}:meta`, "fence", older.fence);
    const changes = [{ group: "w/1", drop: true } as const, put("w/2", { b: 2 })];
    const overtake = (): Promise<unknown> => older.commit(commitOf(2, { changes }));
    // Which groups there are is read first, then each of them.
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
  it("goes before the take-over on the same connection, and shows nothing of a task that never committed", async () => {
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
    expect(await task.commit(commitOf(2))).toEqual({ kind: "applied" });
    await store.close();
    while ((await connections()) > 0);
  });

  it("needs no permission to write, and an inspection neither", async () => {
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
