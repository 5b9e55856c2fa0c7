import { beforeEach, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { SILENT_LOGGER, SYSTEM_TIME } from "@millrace/dataflow";
import type { Commit, PartContext, Sink, StoreOutput, TaskStore } from "@millrace/dataflow";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisOptionsError } from "@millrace/redis-source";
import { RedisHashResultSink, RedisStreamResultSink } from "@millrace/redis-store";
import type { RedisStore } from "@millrace/redis-store";
import { BASE, TASK, commitOf } from "../support/commits.ts";
import { clientOf, rowsIn, serverOf, storeOf } from "../support/servers.ts";

interface Row {
  readonly window: number;
  readonly timezone: string;
  readonly users: number;
  readonly revision?: number;
  readonly replaces?: readonly number[];
}

const RESULTS = `${BASE}:results:out`;
const CONTEXT: PartContext = {
  step: "out",
  logger: SILENT_LOGGER,
  time: SYSTEM_TIME,
  signal: new AbortController().signal,
  reject: () => undefined,
};

let server: LocalRedis;
let client: Redis;
let store: RedisStore;
let task: TaskStore;
let number: number;

beforeEach(async () => {
  server = await serverOf();
  client = clientOf(server);
  store = storeOf(server);
  task = await store.acquire(TASK);
  number = 0;
});

/** Sends rows through a sink and one commit. */
async function write(sink: Sink<Row>, ...rows: readonly Row[]): Promise<Commit> {
  const part = await sink.buildPart(TASK.part, undefined, CONTEXT);
  await part.writeBatch(rows);
  const outputs: readonly StoreOutput[] = part.takeOutputs?.() ?? [];
  expect(part.takeOutputs?.()).toEqual([]);
  const commit = commitOf((number += 1), { outputs });
  expect(await task.commit(commit)).toEqual({ kind: "applied" });
  return commit;
}

const hashSink = (
  options: { readonly ttlMs?: number; readonly notice?: "publish" | "spublish" } = {},
): Sink<Row> =>
  new RedisHashResultSink<Row>(store, {
    window: (row) => row.window,
    key: (row) => row.timezone,
    revision: (row) => row.revision ?? 0,
    replaces: (row) => row.replaces ?? [],
    ...options,
  });

async function window(id: number): Promise<Readonly<Record<string, number>>> {
  const rows = await client.hgetall(`${RESULTS}:${id}`);
  return Object.fromEntries(
    Object.entries(rows).map(([key, row]) => [key, Number(Reflect.get(Object(JSON.parse(row)), "users"))]),
  );
}

describe("RedisStreamResultSink", () => {
  it("appends rows in order, and none before the commit", async () => {
    const sink = new RedisStreamResultSink<Row>(store);
    const part = await sink.buildPart(TASK.part, undefined, CONTEXT);
    const rows = [
      { window: 1, timezone: "Europe/Madrid", users: 3 },
      { window: 1, timezone: "Asia/Tokyo", users: 1 },
    ];
    await part.writeBatch(rows);
    expect(await client.exists(RESULTS)).toBe(0);
    await task.commit(commitOf(1, { outputs: part.takeOutputs?.() ?? [] }));
    expect(await rowsIn(client, RESULTS)).toEqual(rows);
    await part.close();
    await part.close();
  });

  it("keeps about as many entries as it is told", async () => {
    const row = { window: 1, timezone: "Europe/Madrid", users: 3 };
    await write(
      new RedisStreamResultSink<Row>(store, { maxLength: 100 }),
      ...Array.from({ length: 1_000 }, () => row),
    );
    const length = await client.xlen(RESULTS);
    expect(length).toBeGreaterThanOrEqual(100);
    expect(length).toBeLessThan(300);
  });

  it("goes by its name where it has one", async () => {
    await write(new RedisStreamResultSink<Row>(store, { name: "a:b" }), {
      window: 1,
      timezone: "x",
      users: 1,
    });
    expect(await client.xlen(`${BASE}:results:a%3Ab`)).toBe(1);
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses a length of %d", (maxLength) => {
    expect(() => new RedisStreamResultSink(store, { maxLength })).toThrow(RedisOptionsError);
  });
});

describe("RedisHashResultSink", () => {
  it("keeps one hash a window, one field a key", async () => {
    const madrid = { window: 1, timezone: "Europe/Madrid", users: 3 };
    await write(
      hashSink(),
      madrid,
      { ...madrid, timezone: "Asia/Tokyo", users: 1 },
      { ...madrid, window: 2 },
    );
    expect(await client.hget(`${RESULTS}:1`, "Europe/Madrid")).toBe(JSON.stringify(madrid));
    expect(await window(1)).toEqual({ "Europe/Madrid": 3, "Asia/Tokyo": 1 });
    expect(await window(2)).toEqual({ "Europe/Madrid": 3 });
  });

  it("never lets an older revision replace a newer one", async () => {
    const row = (users: number, revision: number): Row => ({ window: 1, timezone: "a", users, revision });
    await write(hashSink(), row(10, 0));
    await write(hashSink(), row(12, 2), row(11, 1), { ...row(5, 0), timezone: "b" });
    expect(await window(1)).toEqual({ a: 12, b: 5 });
    await write(hashSink(), row(10, 0));
    expect(await window(1)).toEqual({ a: 12, b: 5 });
    await write(hashSink(), row(13, 3));
    expect(await window(1)).toEqual({ a: 13, b: 5 });
  });

  it("voids the rows of sessions that became part of another", async () => {
    const row = (id: number, replaces: readonly number[] = []): Row => ({
      window: id,
      timezone: "ana",
      users: id,
      replaces,
    });
    await write(hashSink(), row(1), { ...row(1), timezone: "ben" }, row(2), row(3, [1, 2]));
    expect([await window(1), await window(2), await window(3)]).toEqual([{ ben: 1 }, {}, { ana: 3 }]);
  });

  it("lets rows expire", async () => {
    await write(hashSink({ ttlMs: 60_000 }), { window: 1, timezone: "a", users: 1, revision: 1 });
    for (const key of [`${RESULTS}:1`, `${BASE}:revisions:out:1`]) {
      const left = await client.pttl(key);
      expect(left).toBeGreaterThan(50_000);
      expect(left).toBeLessThanOrEqual(60_000);
    }
    await write(hashSink(), { window: 2, timezone: "a", users: 1 });
    expect(await client.pttl(`${RESULTS}:2`)).toBe(-1);
  });

  it.each([0, -1, 0.5])("refuses a time to live of %d", (ttlMs) => {
    expect(() => hashSink({ ttlMs })).toThrow(RedisOptionsError);
  });
});

describe("notices", () => {
  it.each([
    ["publish", "message", (subscriber: Redis) => subscriber.subscribe(RESULTS)],
    ["spublish", "smessage", (subscriber: Redis) => subscriber.ssubscribe(RESULTS)],
  ] as const)("come by %s, once, when the rows can be read", async (notice, event, subscribe) => {
    const subscriber = clientOf(server);
    const heard: string[] = [];
    subscriber.on(event, (_channel: string, message: string) => heard.push(message));
    await subscribe(subscriber);
    const rows = [1, 1, 2].map((id, i) => ({ window: id, timezone: `zone ${i}`, users: 1 }));
    const commit = await write(new RedisStreamResultSink<Row>(store, { notice }), ...rows);
    expect(await task.commit(commit)).toEqual({ kind: "already-applied" });
    await write(hashSink({ notice }), ...rows);
    await subscriber.ping();
    expect(heard.map((message): unknown => JSON.parse(message))).toEqual([
      { commit: 1, rows: 3 },
      { commit: 2, window: "1", rows: 2 },
      { commit: 2, window: "2", rows: 1 },
    ]);
  });
});
