import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { Redis } from "ioredis";
import { clickLine } from "./support/clicks.ts";
import { aggregator, publisher } from "./support/programs.ts";

const EVENTS = join(import.meta.dirname, "../../../data/events.jsonl");
const LINES = readFileSync(EVENTS, "utf8").trimEnd().split("\n").length;

let redis: LocalRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
});

interface Row {
  readonly num_mobile_users: number;
  readonly window: { readonly open: number };
  readonly complete: unknown;
}

describe("frames on Pub/Sub with the default clock", () => {
  test("every window is complete if nothing was lost, also the last one", async () => {
    const args = ["--channel=settled", "--meta", "--window=tumbling:500ms", "--exit-when-idle=1s"];
    const counting = aggregator(redis.url, args);
    await counting.logged("subscribed");
    const rate = Math.ceil(LINES / 3);
    const publishing = publisher(redis.url, EVENTS, ["--channel=settled", "--batch=16", `--rate=${rate}`]);
    expect((await publishing.ended).code).toBe(0);
    const { code, output } = await counting.ended;
    expect(code).toBe(0);
    const rows = output.map((line) => JSON.parse(line) as Row);
    expect(new Set(rows.map(({ window }) => window.open)).size).toBeGreaterThan(4);
    expect(new Set(rows.map(({ complete }) => complete))).toEqual(new Set([true]));
    expect(await counting.logged("report")).toMatchObject({ lost: 0, unaccounted: 0 });
  });

  test("events at an end that no reader received are counted as lost", async () => {
    const control = new Redis(redis.url);
    const counting = aggregator(redis.url, ["--channel=unheard", "--meta"]);
    await counting.logged("subscribed");
    // As if it had begun and ended while the aggregator was away.
    await control.hset("{unheard}:producers", "gone", `25 ${Date.now()} ${Date.now()} 1`);
    await control.client("KILL", "TYPE", "pubsub");
    await counting.logged("redis-back");
    control.disconnect();
    const publishing = publisher(redis.url, "-", ["--channel=unheard", "--batch=16"], clickLine());
    expect((await publishing.ended).code).toBe(0);
    counting.kill("SIGTERM");
    expect((await counting.ended).code).toBe(0);
    expect(await counting.logged("report")).toMatchObject({ decoded: 1, lost: 25 });
  });

  test("the report says since when missed events are unknown", async () => {
    const control = new Redis(redis.url);
    const counting = aggregator(redis.url, ["--channel=uncertain", "--meta"]);
    await counting.logged("subscribed");
    await control.hset("{uncertain}:producers", "killed", `25 1763848800000 1763848700000 0`);
    await control.client("KILL", "TYPE", "pubsub");
    await counting.logged("redis-back");
    control.disconnect();
    counting.kill("SIGTERM");
    expect((await counting.ended).code).toBe(0);
    expect(await counting.logged("report")).toMatchObject({ lost: 25 });
    expect(await counting.logged("uncertain")).toMatchObject({ since: "2025-11-22T22:00:00.000Z" });
  });
});
