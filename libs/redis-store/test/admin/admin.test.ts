import { describe, expect, it } from "@jest/globals";
import { FencedError } from "@millrace/dataflow";
import { RedisUnreachableError } from "@millrace/redis-source";
import {
  DEFAULT_TASK_ACCESS_OPTIONS,
  StoreUnavailableError,
  TaskKeys,
  inspectTask,
  resetTask,
} from "@millrace/redis-store";
import { clearTask } from "../../src/admin/clear-task.ts";
import { TaskConnection } from "../../src/connection/task-connection.ts";
import { FORGET } from "../../src/scripts/forget.ts";
import { BASE, TASK, commitOf, largeCommit, plain, put, rowsOut, takeOver } from "../support/commits.ts";
import { cuttingProxy } from "../support/cutting-proxy.ts";
import { HurriedTime } from "../support/hurried-time.ts";
import { clientOf, serverOf, storeOf } from "../support/servers.ts";
import { warnings } from "../support/warnings.ts";

describe("inspectTask", () => {
  it("returns nothing for a task that was never acquired", async () => {
    const server = await serverOf();
    expect(await inspectTask({ url: server.url }, TASK)).toBeUndefined();
  });

  it("shows a task that never committed", async () => {
    const server = await serverOf();
    const { fence } = await storeOf(server).acquire(TASK);
    expect(await inspectTask({ url: server.url }, TASK)).toMatchObject({ fence, commitNumber: 0, steps: [] });
  });

  it("shows position, commit and the state of each step", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    await task.commit(
      commitOf(1, {
        sinks: { file: 12 },
        partial: true,
        changes: [put("per_5s/1", { a: 1, b: 2 }), put("per_5s/2", { a: 1 }), put("sum/keys", { a: 1 })],
      }),
    );
    const [seconds] = await clientOf(server).time();
    const found = await inspectTask({ url: server.url }, TASK);
    expect(found).toMatchObject({
      key: BASE,
      fence: task.fence,
      commitNumber: 1,
      signature: "mobile_counts v1",
      position: { id: "1-0" },
      sinks: { file: 12 },
      partial: true,
      waiting: 0,
    });
    expect(found?.steps).toHaveLength(2);
    expect(found?.steps).toContainEqual({ step: "per_5s", groups: 2, fields: 3 });
    expect(found?.steps).toContainEqual({ step: "sum", groups: 1, fields: 1 });
    expect(Math.abs((found?.committedAt ?? 0) / 1_000 - Number(seconds))).toBeLessThan(10);
  });

  it("shows the last committed watermark, if there is one", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    const watermark = async (): Promise<unknown> => (await inspectTask({ url: server.url }, TASK))?.watermark;
    await task.commit(commitOf(1));
    expect(await watermark()).toBeUndefined();
    await task.commit(commitOf(2, { watermark: 13_000 }));
    expect(await watermark()).toBe(13_000);
    await task.commit(commitOf(3, { watermark: 0 }));
    expect(await watermark()).toBe(0);
    await task.commit(commitOf(4, { watermark: null }));
    expect(await watermark()).toBeUndefined();
  });
});

describe.each([
  ["inspectTask", inspectTask, "evalsha_ro"],
  ["resetTask", resetTask, "evalsha"],
])("%s without an answer", (_name, access, script) => {
  /** Resolves once the call has ended; time passes until then. */
  async function endOf(call: Promise<unknown>, time: HurriedTime): Promise<unknown> {
    const state = { ended: false };
    const outcome = call
      .catch((error: unknown) => error)
      .finally(() => {
        state.ended = true;
      });
    while (!state.ended) {
      time.skip(500);
      await new Promise(setImmediate);
    }
    return outcome;
  }

  it("tries the first connection for connectTimeoutMs", async () => {
    const server = await serverOf();
    await server.kill("SIGSTOP");
    const time = new HurriedTime();
    const from = time.monotonic();
    const options = { time, logger: warnings(), storeTimeoutMs: 1_000 };
    const failure = await endOf(access({ url: server.url, connectTimeoutMs: 20_000 }, TASK, options), time);
    expect(failure).toBeInstanceOf(RedisUnreachableError);
    expect(time.monotonic() - from).toBeGreaterThanOrEqual(20_000);
  });

  it("waits for a store that it has reached for storeTimeoutMs", async () => {
    const server = await serverOf();
    const proxy = await cuttingProxy(server);
    const time = new HurriedTime();
    const away = new Promise<void>((resolve) => {
      proxy.before(script, async () => {
        await server.kill("SIGSTOP");
        resolve();
      });
    });
    const logger = warnings();
    const options = { time, logger, storeTimeoutMs: 60_000 };
    const call = access({ url: proxy.url, connectTimeoutMs: 500 }, TASK, options);
    call.catch(() => undefined);
    await away;
    const from = time.monotonic();
    expect(await endOf(call, time)).toBeInstanceOf(StoreUnavailableError);
    expect(time.monotonic() - from).toBeGreaterThanOrEqual(55_000);
    expect(logger.events).toContain("redis-lost");
  });

  it("ends on abort", async () => {
    const server = await serverOf();
    await server.kill("SIGSTOP");
    const stop = new AbortController();
    const call = access({ url: server.url }, TASK, { logger: warnings(), signal: stop.signal });
    const reason = new Error("stopped by the user");
    stop.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  it("has no limit of its own once it has reached the store", () => {
    expect(DEFAULT_TASK_ACCESS_OPTIONS.storeTimeoutMs).toBe(Infinity);
  });
});

describe("resetTask", () => {
  it("leaves only a fence, which stops an owner that still runs", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const zombie = await storeOf(server).acquire(TASK);
    const groups = Array.from({ length: 500 }, (_, i) => put(`w/${i}`, { a: i }));
    await zombie.commit(commitOf(1, { changes: groups, outputs: [rowsOut(1)] }));
    const { fence } = await resetTask({ url: server.url }, TASK);
    expect(fence).toBeGreaterThan(zombie.fence);
    expect(await zombie.commit(commitOf(2))).toEqual({ kind: "fenced", owner: fence });
    expect((await client.keys("*")).sort()).toEqual([`${BASE}:meta`, `${BASE}:results:out`]);
    expect((await client.hkeys(`${BASE}:meta`)).sort()).toEqual(["fence", "owner"]);
    const owner = await storeOf(server).acquire(TASK);
    expect(await owner.load()).toBeUndefined();
    expect(await owner.commit(commitOf(1))).toMatchObject({ kind: "applied" });
  });

  it("removes results if asked, and only those of the task", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const task = await storeOf(server).acquire(TASK);
    await task.commit(largeCommit(1, 10));
    const neighbour = `${BASE}2:results:out`;
    await client.set(neighbour, "kept");
    expect(await resetTask({ url: server.url }, TASK, { results: true })).toMatchObject({ resultKeys: 1 });
    expect((await client.keys("*")).sort()).toEqual([`${BASE}:meta`, neighbour].sort());
  });

  it("leaves where the next run begins, until that has committed", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
    const start = "2026-11-28T10:00:00.000Z";
    await resetTask({ url: server.url }, TASK, { start });
    expect(await inspectTask({ url: server.url }, TASK)).toMatchObject({
      start,
      commitNumber: 0,
      position: null,
    });
    const begun = {
      commitNumber: 0,
      format: 1,
      signature: "",
      position: { start },
      sinks: {},
      counts: null,
    };
    const store = storeOf(server);
    expect(await store.look(TASK, () => true)).toEqual({ ...begun, partial: false, groups: [] });
    const owner = await store.acquire(TASK);
    expect(await owner.load()).toEqual({ ...begun, partial: false, groups: [] });
    // A run that ends before it commits has changed nothing.
    expect(await takeOver(storeOf(server))).toMatchObject(begun);
    await (await storeOf(server).acquire(TASK)).commit(commitOf(1));
    expect((await inspectTask({ url: server.url }, TASK))?.start).toBeUndefined();
    expect(await takeOver(storeOf(server))).toMatchObject({ commitNumber: 1, position: { id: "1-0" } });
    // A reset that names no place forgets the one of an earlier reset.
    await resetTask({ url: server.url }, TASK);
    expect(await takeOver(storeOf(server))).toBeUndefined();
  });

  it("removes rows of windows from a time on if asked, and names the streams of rows that stay", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const task = await storeOf(server).acquire(TASK);
    await task.commit(commitOf(1, { outputs: [rowsOut(1)] }));
    const hash = (window: string): string => new TaskKeys(TASK).window("counts", window);
    const row = (open: number): string => JSON.stringify({ n: 1, window: { id: "x", open, close: open } });
    for (const window of ["-5000", "15000", "20000"]) await client.hset(hash(window), "a", "{}");
    // Sessions, of which two were opened by an event that an earlier one followed.
    await client.hset(hash("19999.7"), "a", row(19_999));
    await client.hset(hash("21000.8"), "a", row(19_000));
    await client.hset(hash("21000.9"), "b", row(20_500));
    await client.hset(hash("22000.1"), "c", '{"n":1}');
    const beside = new TaskKeys(TASK).window("counts@v2", "20000");
    await client.hset(beside, "a", "{}");
    const report = await resetTask({ url: server.url }, TASK, { results: { from: 20_000 } });
    expect(report).toMatchObject({ resultKeys: 3, resultStreams: [`${BASE}:results:out`] });
    expect((await client.keys("*")).sort()).toEqual(
      [
        beside,
        `${BASE}:meta`,
        `${BASE}:results:out`,
        ...["-5000", "15000", "19999.7", "21000.8"].map(hash),
      ].sort(),
    );
    const other = await resetTask({ url: server.url }, TASK, { results: { from: 15_000, version: "v2" } });
    expect([other.resultKeys, await client.exists(beside, hash("15000"))]).toEqual([1, 1]);
  });

  it("is finished by the next owner if it ended halfway", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const task = await storeOf(server).acquire(TASK);
    await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
    const { meta, groups, staged, journal } = new TaskKeys(TASK);
    const connection = new TaskConnection({ url: server.url }, meta, DEFAULT_TASK_ACCESS_OPTIONS);
    // Only the first step of a reset.
    await connection.run("forget", ({ script }) =>
      script(FORGET, [meta, groups, staged, journal], [task.fence]),
    );
    await connection.close();
    expect(await client.exists(`${BASE}:group:w/1`)).toBe(1);
    // An owner that commits before it loads cannot mix its state with the rest of the old one.
    const hasty = await storeOf(server).acquire(TASK);
    expect(await hasty.commit(commitOf(1))).toEqual({ kind: "rolled-back", stored: 0 });
    expect(await takeOver(storeOf(server))).toBeUndefined();
    expect((await client.keys("*")).sort()).toEqual([`${BASE}:meta`]);
    expect((await client.hkeys(`${BASE}:meta`)).sort()).toEqual(["fence", "owner"]);
  });

  it("fails if a worker acquires the task at the same time", async () => {
    const server = await serverOf();
    const proxy = await cuttingProxy(server);
    await (await storeOf(server).acquire(TASK)).commit(commitOf(1));
    // The first script call acquires the task, the second one forgets it.
    proxy.before("evalsha", () => {
      proxy.before("evalsha", () => storeOf(server).acquire(TASK));
      return Promise.resolve();
    });
    await expect(resetTask({ url: proxy.url }, TASK)).rejects.toBeInstanceOf(FencedError);
    expect((await takeOver(storeOf(server)))?.commitNumber).toBe(1);
  });

  it("cannot remove what was committed after it, however late its request comes", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
    const keys = new TaskKeys(TASK);
    const connection = new TaskConnection({ url: server.url }, keys.meta, DEFAULT_TASK_ACCESS_OPTIONS);
    const clearing = connection.run("clear", (link) => clearTask(link, keys, task.fence, true));
    await expect(clearing).rejects.toBeInstanceOf(FencedError);
    await connection.close();
    expect(plain(await task.load())?.groups).toEqual({ "w/1": { a: 1 } });
  });
});
