import { beforeEach, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import {
  Dataflow,
  IterableSource,
  MemoryStore,
  SILENT_LOGGER,
  SYSTEM_TIME,
  SinkError,
  mapRows,
  run,
} from "@millrace/dataflow";
import type { Commit, PartContext, Sink, StoreOutput, TaskStore } from "@millrace/dataflow";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisOptionsError } from "@millrace/redis-source";
import { eventTime, session, tumbling } from "@millrace/windowing";
import type { WindowCause, WindowResult } from "@millrace/windowing";
import { RedisStreamResultSink, resetTask } from "@millrace/redis-store";
import type { RedisStore } from "@millrace/redis-store";
import { BASE, TASK, commitOf } from "../support/commits.ts";
import { clientOf, rowsIn, serverOf, storeOf } from "../support/servers.ts";
import { warnings } from "../support/warnings.ts";

interface Row {
  readonly window: number;
  readonly timezone: string;
  readonly users: number;
  readonly revision?: number;
  readonly replaces?: readonly number[];
  readonly session?: true;
}

/** A row as the result of a window whose name is a number; a revision comes late. */
function resultOf(row: Row): WindowResult<Row> {
  const { window: id, timezone: key, revision = 0, replaces = [] } = row;
  const window = { id: row.session === true ? String(id) : id, open: id, close: id + 1, mergedIds: [] };
  const cause = revision > 0 ? "late" : "watermark";
  return { key, value: row, window, revision, cause, complete: true, replaces };
}

const RESULTS = `${BASE}:results:out`;
const CONTEXT: PartContext = {
  flow: "test",
  step: "out",
  logger: SILENT_LOGGER,
  time: SYSTEM_TIME,
  signal: new AbortController().signal,
  reject: () => undefined,
  fail: () => undefined,
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
  expect(await task.commit(commit)).toMatchObject({ kind: "applied" });
  return commit;
}

const hashSink = (
  options: { readonly ttlMs?: number; readonly notice?: "publish" | "spublish" } = {},
): Sink<Row> => mapRows(store.results<Row>({ row: ({ value }) => value, ...options }), resultOf);

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

  it("keeps about maxLength entries", async () => {
    const row = { window: 1, timezone: "Europe/Madrid", users: 3 };
    await write(
      new RedisStreamResultSink<Row>(store, { maxLength: 100 }),
      ...Array.from({ length: 1_000 }, () => row),
    );
    const length = await client.xlen(RESULTS);
    expect(length).toBeGreaterThanOrEqual(100);
    expect(length).toBeLessThan(300);
  });

  it("uses its name if it has one", async () => {
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

describe("a sink for results of windows", () => {
  it("keeps one hash for each window, one field for each key", async () => {
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

  it("removes the rows of sessions that became part of another", async () => {
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

  it.each([-1, 0.5, Number.NaN, 2 ** 60])("refuses a revision of %d", async (revision) => {
    await expect(write(hashSink(), { window: 1, timezone: "a", users: 1, revision })).rejects.toThrow(
      SinkError,
    );
  });

  it.each([0, -1, 0.5])("refuses a time to live of %d", (ttlMs) => {
    expect(() => hashSink({ ttlMs })).toThrow(RedisOptionsError);
  });
});

describe("a life after a reset", () => {
  const row = (users: number, revision: number, timezone = "a"): Row => ({
    window: 1,
    timezone,
    users,
    revision,
  });

  it("replaces the rows of the one before, however often those were corrected", async () => {
    await write(hashSink(), row(1, 0), row(9, 2), row(7, 0, "b"), row(8, 1, "c"));
    await task.close();
    await resetTask({ url: server.url }, TASK);
    expect(await client.keys("*:revisions:*")).toEqual([]);
    expect(await window(1)).toEqual({ a: 9, b: 7, c: 8 });
    task = await store.acquire(TASK);
    number = 0;
    await write(hashSink(), row(3, 0), row(4, 0, "b"));
    expect(await window(1)).toEqual({ a: 3, b: 4, c: 8 });
    await write(hashSink(), row(5, 1));
    await write(hashSink(), row(3, 0));
    expect(await window(1)).toEqual({ a: 5, b: 4, c: 8 });
  });

  it("does so even if the revisions of the one before are still noted", async () => {
    await write(hashSink(), row(9, 2), row(8, 1, "b"));
    const noted = await client.dumpBuffer(`${BASE}:revisions:out:1`);
    await resetTask({ url: server.url }, TASK);
    await client.call("RESTORE", `${BASE}:revisions:out:1`, 0, noted);
    task = await store.acquire(TASK);
    number = 0;
    await write(hashSink(), row(3, 0), row(2, 0, "b"));
    expect(await window(1)).toEqual({ a: 3, b: 2 });
    await write(hashSink(), row(4, 1));
    await write(hashSink(), row(3, 0));
    expect(await window(1)).toEqual({ a: 4, b: 2 });
  });

  it("has a unique name, even if Redis was emptied", async () => {
    await write(hashSink(), row(1, 0));
    const life = await client.hget(`${BASE}:meta`, "life");
    await client.flushall();
    task = await store.acquire(TASK);
    number = 0;
    await write(hashSink(), row(1, 0));
    expect(Number(await client.hget(`${BASE}:meta`, "life"))).toBeGreaterThan(Number(life));
  });
});

describe("a window whose hash is gone", () => {
  const row = (timezone: string, revision = 0): Row => ({ window: 1, timezone, users: revision, revision });
  const marks = async (): Promise<Readonly<Record<string, unknown>>> => {
    const rows = await client.hgetall(`${RESULTS}:1`);
    return Object.fromEntries(
      Object.entries(rows).map(([key, text]) => [key, Reflect.get(Object(JSON.parse(text)), "otherRows")]),
    );
  };

  it("comes back with rows that say so, in all their revisions", async () => {
    await write(hashSink(), row("a"), row("b"), row("c"));
    await write(hashSink(), row("a", 1));
    expect(await marks()).toEqual({ a: undefined, b: undefined, c: undefined });
    await client.del(`${RESULTS}:1`, `${BASE}:revisions:out:1`);
    await write(hashSink(), row("a", 2));
    expect(await marks()).toEqual({ a: "gone" });
    await write(hashSink(), row("a", 3), row("b", 1));
    expect(await marks()).toEqual({ a: "gone", b: "gone" });
    expect(JSON.parse((await client.hget(`${RESULTS}:1`, "a")) ?? "")).toEqual({
      ...row("a", 3),
      otherRows: "gone",
    });
  });

  it("is distinguished from one that had no rows yet", async () => {
    await write(hashSink(), row("a"), row("a", 1), row("b"));
    expect(await marks()).toEqual({ a: undefined, b: undefined });
  });

  it("says so in the first row of a key that comes late", async () => {
    const late = mapRows(store.results<Row>({ row: ({ value }) => value }), (each: Row) => ({
      ...resultOf(each),
      cause: "late" as const,
    }));
    await write(late, row("d"));
    expect(await marks()).toEqual({ d: "gone" });
    // Later rows of the same key keep it; first rows of other keys do not need it once the hash exists again.
    await write(late, row("d"), row("e"));
    expect(await marks()).toEqual({ d: "gone", e: undefined });
  });

  it.each<[string, WindowCause, number, string | number, "gone" | undefined]>([
    ["says so in the first row of a key that came late", "late", 0, 1, "gone"],
    ["says so in a later revision", "late", 2, 1, "gone"],
    ["says so in an early row that follows others", "early", 1, 1, "gone"],
    ["has nothing to say in a first early row", "early", 0, 1, undefined],
    ["does not apply to early rows of a session", "early", 1, "s1", undefined],
    ["is written whole by the close that follows early rows", "watermark", 1, 1, undefined],
    ["is written whole by an end that follows early rows", "end", 1, 1, undefined],
    ["does not apply to a session", "late", 1, "s1", undefined],
  ])("%s, by the row's own cause", async (_, cause, revision, id, otherRows) => {
    const part = await store.results<number>().buildPart(TASK.part, undefined, CONTEXT);
    const place = { id, open: 1, close: 2, mergedIds: [] };
    await part.writeBatch([{ key: "a", value: 1, window: place, revision, cause, complete: true }]);
    await task.commit(commitOf(1, { outputs: part.takeOutputs?.() ?? [] }));
    const [text = "{}"] = await client.hvals(`${RESULTS}:${id}`);
    expect(Reflect.get(Object(JSON.parse(text)), "otherRows")).toBe(otherRows);
  });

  it("is complete again after a reset", async () => {
    await write(hashSink(), row("a", 1));
    expect(await marks()).toEqual({ a: "gone" });
    await resetTask({ url: server.url }, TASK);
    task = await store.acquire(TASK);
    number = 0;
    await write(hashSink(), row("a"), row("b"));
    expect(await marks()).toEqual({ a: undefined, b: undefined });
  });

  it("does not apply to sessions, which are windows of one key", async () => {
    await write(hashSink(), {
      window: 7,
      timezone: "ana",
      users: 1,
      revision: 1,
      replaces: [5],
      session: true,
    });
    const [text = ""] = await client.hvals(`${RESULTS}:7`);
    expect(text).not.toContain("otherRows");
  });
});

describe("a row that is too large", () => {
  it.each<[string, (small: RedisStore) => Sink<Row>, object, () => Promise<unknown>]>([
    [
      "a stream",
      (small) => new RedisStreamResultSink<Row>(small),
      {},
      async () => (await rowsIn(client, RESULTS)).at(0),
    ],
    [
      "a hash",
      (small) =>
        mapRows(small.results<Row>({ row: ({ value }) => value }), (row: Row) => ({
          ...resultOf(row),
          key: "k".repeat(300),
        })),
      { window: "1", key: "k".repeat(200) },
      async (): Promise<unknown> => JSON.parse((await client.hvals(`${RESULTS}:1`)).at(0) ?? "") as unknown,
    ],
  ])("is replaced in %s, and the run continues", async (_, sinkOn, place, written) => {
    const logger = warnings();
    const part = await sinkOn(storeOf(server, { maxValueBytes: 1_000 })).buildPart(TASK.part, undefined, {
      ...CONTEXT,
      logger,
    });
    const row: Row = { window: 1, timezone: "é".repeat(600), users: 1 };
    await part.writeBatch([row]);
    await task.commit(commitOf(1, { outputs: part.takeOutputs?.() ?? [] }));
    expect(await written()).toEqual({ ...place, tooLarge: Buffer.byteLength(JSON.stringify(row)) });
    await part.writeBatch([row, row, row, row]);
    await part.close();
    expect(logger.messages.map((message) => Number.parseInt(message))).toEqual([1, 2, 4, 5]);
    expect(new Set(logger.events)).toEqual(new Set(["row-too-large"]));
  });
});

describe("a flow", () => {
  const flowTo = (sink: Sink<Row>): Dataflow => {
    const flow = new Dataflow("visits");
    const source = new IterableSource<Row>([{ window: 1, timezone: "a", users: 1 }], { part: "{visits:0}" });
    flow.input("in", source).output("out", sink);
    return flow;
  };

  it.each([
    ["a hash", () => hashSink()],
    ["a stream", () => new RedisStreamResultSink<Row>(store)],
  ])("has its rows in %s with the sink's own store, and no other", async (_, sink) => {
    const refusal = { code: "MILLRACE_FLOW_INVALID" };
    await expect(run(flowTo(sink()))).rejects.toMatchObject(refusal);
    await expect(run(flowTo(sink()), { store: new MemoryStore() })).rejects.toMatchObject(refusal);
    await expect(run(flowTo(sink()), { store: storeOf(server) })).rejects.toMatchObject(refusal);
    expect(await client.keys("*visits*")).toEqual([]);
    await run(flowTo(sink()), { store });
    expect(await client.keys("*visits:results:out*")).toHaveLength(1);
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

describe("results of windows", () => {
  const at = (
    shop: string,
    amount: number,
    time: number,
  ): { shop: string; amount: number; time: number } => ({
    shop,
    amount,
    time,
  });

  it("are kept as they are, in a hash named by when the window opens", async () => {
    const flow = new Dataflow("shops");
    flow
      .input("in", new IterableSource([at("a", 1, 3), at("a", 2, 4), at("b", 4, 12)], { part: "{shops:0}" }))
      .keyBy("shop")
      .window("w", tumbling(10), eventTime("time", { wait: 0 }))
      .sum(({ amount }) => amount)
      .output("out", store.results());
    await run(flow, { store });
    const rows = await client.hgetall("millrace:{shops:0}:shops:results:out:0");
    expect(JSON.parse(rows["a"] ?? "")).toMatchObject({
      key: "a",
      value: 3,
      window: { open: 0, close: 10 },
      revision: 0,
      cause: "watermark",
    });
    expect(Object.keys(await client.hgetall("millrace:{shops:0}:shops:results:out:10"))).toEqual(["b"]);
  });

  it("of a session are in a hash named by its id, and those it has swallowed go", async () => {
    const flow = new Dataflow("shops");
    const events = [at("a", 1, 0), at("a", 2, 20), at("b", 0, 30), at("a", 4, 10)];
    flow
      .input("in", new IterableSource(events, { part: "{shops:0}" }))
      .keyBy("shop")
      .window("w", session(10), eventTime("time", { wait: 0 }), { allowedLateness: 100 })
      .sum(({ amount }) => amount)
      .mapValue((total) => ({ total }))
      .output("out", store.results({ row: ({ value, revision }) => ({ value, revision }) }));
    await run(flow, { store });
    const keys = (await client.keys("millrace:{shops:0}:shops:results:out:*")).sort();
    const totals = await Promise.all(keys.map(async (key) => client.hvals(key)));
    expect(totals.flat().map((row): unknown => JSON.parse(row))).toEqual(
      expect.arrayContaining([expect.objectContaining({ value: { total: 7 } })]),
    );
    expect(keys).toHaveLength(2);
  });
});
