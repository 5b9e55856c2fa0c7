import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedis } from "@millrace/local-redis";
import { VirtualTime } from "@millrace/dataflow/testing";
import type { LocalRedis } from "@millrace/local-redis";
import { waitForSubscriber } from "../../src/pubsub/wait-for-subscriber.ts";
import { until } from "../support/until.ts";

let server: LocalRedis;
let subscriber: Redis;

beforeAll(async () => {
  server = await startRedis();
});

beforeEach(() => {
  subscriber = new Redis(server.url);
});

afterEach(() => {
  subscriber.disconnect();
});

afterAll(async () => {
  await server.stop();
});

describe("waitForSubscriber", () => {
  it("resolves at once if there is a subscriber", async () => {
    await subscriber.subscribe("early");
    expect(await waitForSubscriber({ url: server.url }, "early", { timeoutMs: 0 })).toBe(true);
  });

  it("polls until there is a subscriber", async () => {
    const time = new VirtualTime();
    const waiting = waitForSubscriber({ url: server.url }, "late", { timeoutMs: 60_000, time });
    // The first alarms are the time limits of connecting and of waiting; the next is the pause between questions.
    await until(() => time.nextAlarm === 100);
    await subscriber.subscribe("late");
    time.set(100);
    expect(await waiting).toBe(true);
    expect(time.nextAlarm).toBeUndefined();
  });

  it("returns false if no subscriber came in time", async () => {
    const time = new VirtualTime();
    const waiting = waitForSubscriber({ url: server.url }, "empty", { timeoutMs: 60_000, time });
    await until(() => time.nextAlarm === 100);
    time.set(60_000);
    expect(await waiting).toBe(false);
    expect(time.nextAlarm).toBeUndefined();
  });

  it("ends in time if Redis stops answering", async () => {
    const time = new VirtualTime();
    const hanging = await startRedis();
    const waiting = waitForSubscriber({ url: hanging.url }, "empty", { timeoutMs: 60_000, time });
    await until(() => time.nextAlarm === 100);
    await hanging.kill("SIGSTOP");
    time.set(100);
    time.set(60_000);
    expect(await waiting).toBe(false);
    await hanging.stop();
  });

  it("rejects on abort, with the reason", async () => {
    const reason = new Error("stopped by the user");
    const controller = new AbortController();
    const time = new VirtualTime();
    const { signal } = controller;
    const waiting = waitForSubscriber({ url: server.url }, "empty", { timeoutMs: 60_000, time, signal });
    await until(() => time.nextAlarm === 100);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(waitForSubscriber({}, "empty", { timeoutMs: 1, signal })).rejects.toBe(reason);
  });
});
