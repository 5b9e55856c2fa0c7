import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { start } from "@millrace/dataflow";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { waitForSubscriber } from "@millrace/redis-source";
import { echo } from "./examples/echo.ts";

const LIB = join(import.meta.dirname, "..");

let server: LocalRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

describe("the code in the README", () => {
  it("is the example below", () => {
    const [, code] = /```ts\n(.*?)```/s.exec(readFileSync(join(LIB, "README.md"), "utf8")) ?? [];
    expect(code).toBe(readFileSync(join(LIB, "test/examples/echo.ts"), "utf8"));
  });

  it("copies a channel", async () => {
    const heard: string[] = [];
    const listener = redis.duplicate();
    listener.on("message", (_channel, message) => heard.push(message));
    await listener.subscribe("copies");
    const running = start(echo({ url: server.url }));
    expect(await waitForSubscriber({ url: server.url }, "device_events", { timeoutMs: 5_000 })).toBe(true);
    await redis.publish("device_events", "one");
    await redis.publish("device_events", "two");
    await running.stop();
    await listener.ping();
    listener.disconnect();
    expect(heard).toEqual(["one", "two"]);
  });
});
