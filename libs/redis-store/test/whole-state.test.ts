import { describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import type { LocalRedis } from "@millrace/local-redis";
import {
  KeyOccupiedError,
  StateIncompleteError,
  TaskKeys,
  inspectTask,
  resetTask,
} from "@millrace/redis-store";
import type { FailPoint } from "@millrace/redis-store";
import { BASE, TASK, commitOf, largeCommit, put, rowsOut, takeOver } from "./support/commits.ts";
import { clientOf, serverOf, storeOf } from "./support/servers.ts";

const KEYS = new TaskKeys(TASK);

/** Ways to lose a part of the state, by eviction or deletion. */
const LOSSES: readonly (readonly [what: string, lose: (client: Redis) => Promise<unknown>])[] = [
  ["a group", (client) => client.del(KEYS.group("w/1"))],
  ["one field of a group", (client) => client.hdel(KEYS.group("w/1"), "a")],
  ["what the groups are", (client) => client.del(KEYS.groups)],
  ["which groups there are, in part", (client) => client.hdel(KEYS.groups, "w/2")],
  ["position and number", (client) => client.del(KEYS.meta)],
];

async function filled(server: LocalRedis): Promise<void> {
  const task = await storeOf(server).acquire(TASK);
  const changes = [put("w/1", { a: 1, b: 2 }), put("w/2", { a: 1 })];
  expect(await task.commit(commitOf(1, { changes, outputs: [rowsOut(1)] }))).toMatchObject({
    kind: "applied",
  });
}

async function expectReset(server: LocalRedis, client: Redis): Promise<void> {
  await resetTask({ url: server.url }, TASK);
  expect((await client.keys(`${BASE}:*`)).sort()).toEqual([KEYS.meta, KEYS.results("out")].sort());
  expect(await takeOver(storeOf(server))).toBeUndefined();
  await filled(server);
  expect((await takeOver(storeOf(server)))?.groups).toEqual({ "w/1": { a: 1, b: 2 }, "w/2": { a: 1 } });
}

describe.each(LOSSES)("a state that lost %s", (_, lose) => {
  it("is refused by the next owner, until it is reset", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    await filled(server);
    await lose(client);
    const failure = await takeOver(storeOf(server)).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(StateIncompleteError);
    expect(failure).toMatchObject({ code: "MILLRACE_STORE_STATE_INCOMPLETE", retryable: false });
    expect(String(failure)).toMatch(/reset the task/);
    await expectReset(server, client);
  });

  it("stops the owner that still runs, before anything is written", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const task = await storeOf(server).acquire(TASK);
    const changes = [put("w/1", { a: 1, b: 2 }), put("w/2", { a: 1 })];
    await task.commit(commitOf(1, { changes }));
    await lose(client);
    const second = commitOf(2, { changes: [put("w/1", { c: 3 })], outputs: [rowsOut(2)] });
    await expect(task.commit(second)).rejects.toBeInstanceOf(StateIncompleteError);
    expect(await client.exists(KEYS.results("out"))).toBe(0);
    expect(await client.hexists(KEYS.group("w/1"), "c")).toBe(0);
  });
});

describe("a state that is complete", () => {
  it("may have lost its last group, field by field", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 }), put("w/2", { a: 1 })] }));
    await task.commit(
      commitOf(2, {
        changes: [
          { group: "w/1", delete: ["a"] },
          { group: "w/2", drop: true },
        ],
      }),
    );
    expect(await clientOf(server).hgetall(KEYS.groups)).toEqual({ life: String(task.fence) });
    expect(await takeOver(storeOf(server))).toMatchObject({ commitNumber: 2, groups: {} });
  });

  it("is empty if Redis was emptied", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
    await clientOf(server).flushall();
    expect(await task.commit(commitOf(2))).toEqual({ kind: "rolled-back", stored: 0 });
    expect(await takeOver(storeOf(server))).toBeUndefined();
  });
});

it("is refused if it does not fit into this process, before the task is acquired or its groups are read", async () => {
  const server = await serverOf();
  const owner = await storeOf(server).acquire(TASK);
  await owner.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
  await clientOf(server).hset(KEYS.groups, "w/1", 1_000_000_000);
  await expect(storeOf(server).look(TASK)).rejects.toMatchObject({ code: "MILLRACE_STATE_TOO_LARGE" });
  expect(await owner.newestOwner?.()).toBe(owner.fence);
  await expect(owner.load()).rejects.toMatchObject({ code: "MILLRACE_STATE_TOO_LARGE" });
});

it("a missing position and number are noticed even without groups", async () => {
  const server = await serverOf();
  const task = await storeOf(server).acquire(TASK);
  await task.commit(commitOf(1, { outputs: [rowsOut(1)] }));
  await clientOf(server).del(KEYS.meta);
  await expect(task.commit(commitOf(2))).rejects.toBeInstanceOf(StateIncompleteError);
  await expect(storeOf(server).look(TASK)).rejects.toBeInstanceOf(StateIncompleteError);
});

it.each([
  ["gone", (client: Redis) => client.del(KEYS.journal)],
  ["cut", (client: Redis) => client.ltrim(KEYS.journal, 10, -1)],
])("misses the rest of a large commit that is %s", async (_, lose) => {
  const server = await serverOf();
  const client = clientOf(server);
  const failPoint = async (name: FailPoint): Promise<void> => {
    if (name === "made") await lose(client);
  };
  const task = await storeOf(server, { failPoint }).acquire(TASK);
  await expect(task.commit(largeCommit(1))).rejects.toBeInstanceOf(StateIncompleteError);
  await expect(storeOf(server).look(TASK)).rejects.toBeInstanceOf(StateIncompleteError);
  await expect(takeOver(storeOf(server))).rejects.toBeInstanceOf(StateIncompleteError);
  const hasty = await storeOf(server).acquire(TASK);
  await expect(hasty.commit(commitOf(2))).rejects.toBeInstanceOf(StateIncompleteError);
  expect((await inspectTask({ url: server.url }, TASK))?.missing).toContain(KEYS.journal);
});

it("is not read from a key that another program wrote to", async () => {
  const server = await serverOf();
  await filled(server);
  await clientOf(server).set(KEYS.group("w/1"), "theirs");
  const loading = takeOver(storeOf(server));
  await expect(loading).rejects.toBeInstanceOf(KeyOccupiedError);
  await expect(loading).rejects.toThrow(`${KEYS.group("w/1")} holds`);
});

it("a look reports what is missing before the task is acquired from another worker", async () => {
  const server = await serverOf();
  await filled(server);
  await clientOf(server).del(KEYS.groups);
  const fence = await clientOf(server).hget(KEYS.meta, "fence");
  await expect(storeOf(server).look(TASK)).rejects.toBeInstanceOf(StateIncompleteError);
  expect(await clientOf(server).hget(KEYS.meta, "fence")).toBe(fence);
});

describe("a Redis that may evict state", () => {
  const warningsOf = async (server: LocalRedis, url = server.url): Promise<readonly object[]> => {
    const warnings: object[] = [];
    const note = (): void => undefined;
    const logger = {
      debug: note,
      info: note,
      error: note,
      warn: (fields: object) => warnings.push(fields),
    };
    const store = storeOf({ url }, { logger });
    await store.acquire(TASK);
    await store.acquire({ ...TASK, flow: "other" });
    return warnings.filter((fields) => "event" in fields && fields.event === "evicting");
  };

  it.each([
    ["allkeys-lru", 1],
    ["allkeys-random", 1],
    ["volatile-ttl", 0],
    ["noeviction", 0],
  ])("with %s causes %d warnings", async (policy, times) => {
    const server = await serverOf();
    await clientOf(server).config("SET", "maxmemory-policy", policy);
    expect(await warningsOf(server)).toEqual(
      Array.from({ length: times }, () => ({ event: "evicting", policy })),
    );
  });

  it("causes no error for a user who may not read the policy", async () => {
    const server = await serverOf({ args: ["--maxmemory-policy", "allkeys-lru"] });
    await clientOf(server).call("ACL", "SETUSER", "ana", "on", ">pw", "~millrace:*", "+@all", "-info");
    expect(await warningsOf(server, `redis://ana:pw@127.0.0.1:${server.port}`)).toEqual([]);
  });
});
