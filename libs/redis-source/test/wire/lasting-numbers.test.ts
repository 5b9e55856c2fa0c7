import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import type { SinkPartition } from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import {
  ProducerNameError,
  RedisOptionsError,
  RedisPubSubSink,
  RedisStreamSink,
  RedisStreamSource,
} from "@millrace/redis-source";
import type { PublishRow, StreamPartition } from "@millrace/redis-source";
import { LastingNumbers } from "../../src/wire/lasting-numbers.ts";
import { headerOf } from "../support/frames.ts";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { lines } from "../support/stream-bench.ts";
import { take } from "../support/take.ts";

const KEY = "{clicks}:producers";
const FIELD = "@shop.0";
const FRAMED = { frames: true, lingerMs: 0, lastingProducer: "shop" };

let server: LocalRedis;
let redis: Redis;
let cleanUps: (() => unknown)[];

beforeEach(async () => {
  server = await startRedis({ args: ["--appendonly", "yes", "--appendfsync", "always"] });
  redis = new Redis(server.url, { disconnectTimeout: 0 });
  redis.on("error", () => undefined);
  cleanUps = [];
});

afterEach(async () => {
  for (const each of cleanUps.reverse()) await each();
  redis.disconnect();
  await server.stop();
});

async function writer(context = partContext(), user = {}): Promise<SinkPartition<PublishRow>> {
  const sink = new RedisStreamSink({ url: server.url, ...user }, { stream: "clicks", ...FRAMED });
  const part = await sink.buildPart("0", undefined, context);
  cleanUps.push(() => part.close());
  return part;
}

async function reader(): Promise<StreamPartition> {
  const source = new RedisStreamSource({ url: server.url }, { stream: "clicks" });
  const part = await source.buildPart("clicks", undefined, partContext());
  cleanUps.push(() => part.close());
  return part;
}

/** A publisher that crashes in the middle of its work. */
function crashing(): { readonly context: TestContext; readonly crash: () => void } {
  const gone = new AbortController();
  return {
    context: partContext(undefined, gone.signal),
    crash: () => {
      gone.abort(new Error("crashed"));
    },
  };
}

/** Makes the last renewal of the claim appear long ago. */
async function endClaim(): Promise<void> {
  const fields = String(await redis.hget(KEY, FIELD)).split(" ");
  fields[4] = "1";
  await redis.hset(KEY, FIELD, fields.join(" "));
}

async function headers(): Promise<
  { producer: string; first: number; count: number; publishedAtMs: number }[]
> {
  const entries = await redis.xrangeBuffer("clicks", "-", "+");
  return entries.map(([, [, message]]) => headerOf(message ?? Buffer.of()));
}

describe("a lasting producer", () => {
  it("continues its numbers after a restart: one account, nothing lost, nothing dropped", async () => {
    const source = await reader();
    for (let run = 0; run < 3; run += 1) {
      const part = await writer();
      await part.writeBatch(lines(run * 10, run * 10 + 10));
      await part.close();
    }
    expect(await take(source, 30)).toEqual(lines(0, 30));
    expect(source.stats()).toMatchObject({ read: 30, duplicates: 0, lost: 0, possibleDuplicates: 0 });
    const all = await headers();
    expect(new Set(all.map(({ producer }) => producer)).size).toBe(1);
    expect(all.filter(({ count }) => count > 0).map(({ first }) => first)).toEqual([0, 10, 20]);
    expect(source.snapshot()).toMatchObject({ ledger: { producers: [expect.anything()] } });
  });

  it("leaves numbers that a crashed run reserved and did not send as a gap, which counts as lost", async () => {
    const source = await reader();
    const { context, crash } = crashing();
    const part = await writer(context);
    await part.writeBatch(lines(0, 10));
    await part.flush();
    crash();
    await endClaim();
    // It had numbered seven more.
    const died = await LastingNumbers.claim({ url: server.url }, "clicks", "shop.0", partContext());
    expect(died.first).toBe(10);
    await died.reserve(17, 1);
    await died.close();
    await endClaim();
    await (await writer()).writeBatch(lines(10, 20));
    expect(await take(source, 20)).toEqual(lines(0, 20));
    expect(source.stats()).toMatchObject({ read: 20, duplicates: 0, lost: 7 });
  });

  it("never has a publish time before that of an earlier run, whatever its clock says", async () => {
    const ahead = new VirtualTime(Date.now() + 3_600_000);
    const first = await writer(partContext(ahead));
    await first.writeBatch(["a"]);
    await first.close();
    await (await writer()).writeBatch(["b"]);
    const times = (await headers()).map(({ publishedAtMs }) => publishedAtMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)).toBeGreaterThanOrEqual(ahead.now());
  });

  it("is forgotten 7 days after the last publisher with its name", async () => {
    const at = (daysAgo: number): string => String(Date.now() - daysAgo * 86_400_000);
    await redis.hset(KEY, {
      "@old.0": `old.0.x 5 1 - ${at(7.1)} run 1`,
      "@recent.0": `recent.0.x 5 1 - ${at(6.9)} run 1`,
      other: `5 ${Date.now()} 1 0`,
    });
    await (await writer()).close();
    const fields = await redis.hkeys(KEY);
    expect(fields).toEqual(expect.arrayContaining(["@recent.0", FIELD, "other"]));
    expect(fields).not.toContain("@old.0");
    // 7 days from the release, and not from earlier.
    const [, , , , until] = String(await redis.hget(KEY, FIELD)).split(" ");
    expect(Math.abs(Number(until) - Date.now())).toBeLessThan(60_000);
  });

  it("is refused while another publisher holds the name", async () => {
    await writer();
    const context = partContext();
    const second = writer(context);
    await expect(second).rejects.toThrow(ProducerNameError);
    await expect(second).rejects.toThrow(
      /"shop" on "clicks" is not free: the publisher \S+:\d+:\w+ \(host:process\) is using it/,
    );
    expect(context.logger.of("producer-waiting")).toHaveLength(1);
    expect(new Set((await headers()).map(({ producer }) => producer)).size).toBe(1);
  });

  it("waits for the claim of one that has crashed, for seconds only", async () => {
    const { context, crash } = crashing();
    await writer(context);
    crash();
    const began = performance.now();
    await (await writer()).writeBatch(["a"]);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it("publishes nothing more once another one has claimed the name", async () => {
    const stalled = await writer();
    await stalled.writeBatch(lines(0, 5));
    await stalled.flush();
    await endClaim();
    const next = await writer();
    await stalled.writeBatch(lines(5, 9));
    await expect(stalled.flush()).rejects.toThrow(/has taken it over since/);
    await next.writeBatch(lines(5, 10));
    await next.flush();
    const sent = (await headers()).filter(({ count }) => count > 0);
    expect(sent.map(({ first, count }) => [first, count])).toEqual([
      [0, 5],
      [5, 5],
    ]);
  });

  it("begins again under another id if Redis may have lost its numbers", async () => {
    await (await writer()).close();
    const before = await headers();
    await server.kill();
    await server.restart();
    await (await writer()).writeBatch(["a"]);
    const [first] = (await headers()).slice(before.length);
    expect(first).toMatchObject({ first: 0 });
    expect(first?.producer).not.toBe(before[0]?.producer);
  });

  it("continues through a restart of Redis while it runs", async () => {
    const source = await reader();
    const context = partContext();
    const part = await writer(context);
    await part.writeBatch(lines(0, 5));
    await server.kill();
    await server.restart();
    await part.writeBatch(lines(5, 10));
    await part.close();
    await (await writer()).writeBatch(lines(10, 15));
    expect(await take(source, 15)).toEqual(lines(0, 15));
    expect(source.stats()).toMatchObject({ duplicates: 0, lost: 0 });
    expect(new Set((await headers()).map(({ producer }) => producer)).size).toBe(1);
  });

  it("begins again if Redis does not report whether it has restarted", async () => {
    await redis.acl("SETUSER", "u", "on", ">pw", "~*", "&*", "+@all", "-info");
    const user = { username: "u", password: "pw" };
    await (await writer(partContext(), user)).close();
    await (await writer(partContext(), user)).close();
    expect(new Set((await headers()).map(({ producer }) => producer)).size).toBe(2);
  });

  it("has its numbers on Pub/Sub as well, and readers that were disconnected find them", async () => {
    const open = async (): Promise<SinkPartition<PublishRow>> => {
      const sink = new RedisPubSubSink({ url: server.url }, { channel: "clicks", ...FRAMED });
      const part = await sink.buildPart("0", undefined, partContext());
      cleanUps.push(() => part.close());
      return part;
    };
    for (let run = 0; run < 2; run += 1) {
      const part = await open();
      await part.writeBatch(lines(0, 4));
      await part.close();
    }
    const records = Object.entries(await redis.hgetall(KEY)).filter(([name]) => !name.startsWith("@"));
    expect(records).toEqual([
      [expect.stringMatching(/^shop\.0\.\w{8}$/), expect.stringMatching(/^8 \d+ \d+ 1$/)],
    ]);
  });

  it("needs frames, and allows no other producer name", () => {
    const options = { stream: "clicks", lastingProducer: "shop" };
    expect(() => new RedisStreamSink({}, { ...options, frames: false })).toThrow(RedisOptionsError);
    expect(() => new RedisStreamSink({}, { ...options, producer: "p" })).toThrow("producer is given too");
  });
});
