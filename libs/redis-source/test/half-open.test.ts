import { describe, expect, it } from "@jest/globals";
import type { LoopbackProxy } from "@millrace/local-redis";
import { CallbackSink, Dataflow, start } from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import {
  RedisPubSubSink,
  RedisPubSubSource,
  RedisStreamSink,
  RedisStreamSource,
  waitForSubscriber,
} from "@millrace/redis-source";
import { partContext } from "./support/part-context.ts";
import { RecordingLogger } from "./support/recording-logger.ts";
import { rows, sinkBench } from "./support/sink-bench.ts";
import { passTimeUntil } from "./support/pass-time.ts";
import { until } from "./support/until.ts";

/** How long it may take to notice. */
const LIMIT_MS = 15_000;

const bench = sinkBench();
let cable: LoopbackProxy;
let time: VirtualTime;

async function plugIn(): Promise<void> {
  cable = await bench.cable();
  time = new VirtualTime(Date.now());
}

const passUntil = (condition: () => boolean): Promise<number> =>
  passTimeUntil(time, () => bench.control.ping(), condition);

async function passUntilSettled<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const outcome = promise.finally(() => {
    settled = true;
  });
  outcome.catch(() => undefined);
  await passUntil(() => settled);
  return outcome;
}

describe("a connection that carries nothing and was not closed", () => {
  it("is noticed by a subscriber without windows, whose run ends when it is idle", async () => {
    await plugIn();
    const logger = new RecordingLogger();
    const flow = new Dataflow("bare");
    const source = new RedisPubSubSource({ host: "127.0.0.1", port: cable.port }, { channel: "clicks" });
    const seen: unknown[] = [];
    flow
      .input("clicks", source)
      .inspect("seen", (event) => seen.push(event))
      .output("out", new CallbackSink(() => undefined));
    const running = start(flow, { logger, time, exitWhenIdleMs: 30_000 });
    await logger.logged("subscribed");
    const { part } = await bench.open({ frames: true, producer: "p" });
    await part.writeBatch(rows(1));
    await part.flush();
    await until(() => seen.length === 1);
    cable.freeze();
    await part.writeBatch(rows(50));
    await part.flush();
    await part.close();
    expect(await passUntil(() => logger.of("redis-lost").length > 0)).toBeLessThanOrEqual(LIMIT_MS);
    expect((await passUntilSettled(running.done)).tasks[0]?.source).toMatchObject({ read: 1, lost: 50 });
  });

  it.each([
    ["channel", (port: number) => new RedisPubSubSink({ host: "127.0.0.1", port }, { channel: "c" })],
    ["stream", (port: number) => new RedisStreamSink({ host: "127.0.0.1", port }, { stream: "c" })],
  ])("is noticed by who writes to a %s, and what has no answer is sent again", async (_kind, sinkOn) => {
    await plugIn();
    const context = partContext(time);
    const sink = sinkOn(cable.port);
    const part = await sink.buildPart("0", undefined, context);
    bench.later(() => part.close());
    cable.freeze();
    const written = part.writeBatch(rows(10));
    expect(await passUntil(() => context.logger.of("redis-lost").length > 0)).toBeLessThanOrEqual(LIMIT_MS);
    await passUntilSettled(written);
    expect(sink.stats()).toMatchObject({ published: 10, disconnects: 1 });
  });

  it.each([
    ["channel", (port: number) => new RedisPubSubSink({ host: "127.0.0.1", port }, { channel: "c" })],
    ["stream", (port: number) => new RedisStreamSink({ host: "127.0.0.1", port }, { stream: "c" })],
  ])("loses what is written to a %s and given up: nothing was sent again", async (_kind, sinkOn) => {
    await plugIn();
    const stop = new AbortController();
    const context = partContext(time, stop.signal);
    const sink = sinkOn(cable.port);
    const part = await sink.buildPart("0", undefined, context);
    cable.freeze();
    const written = part.writeBatch(rows(10));
    written.catch(() => undefined);
    await passUntil(() => context.logger.of("redis-lost").length > 0);
    stop.abort(new Error("stopped"));
    await expect(written).rejects.toThrow("stopped");
    await part.close();
    expect(sink.stats()).toMatchObject({ published: 0, resent: 0 });
  });

  it("is noticed by a wait for subscribers, which finds one that came in between", async () => {
    await plugIn();
    const { logger } = partContext(time);
    const waiting = waitForSubscriber({ host: "127.0.0.1", port: cable.port }, "clicks", {
      timeoutMs: 50_000,
      logger,
      time,
    });
    await until(() => time.nextAlarm === time.now() + 100);
    cable.freeze();
    await bench.listen();
    expect(await passUntil(() => logger.of("redis-lost").length > 0)).toBeLessThanOrEqual(LIMIT_MS);
    expect(await passUntilSettled(waiting)).toBe(true);
  });

  it("is noticed by a read that waits for entries", async () => {
    await plugIn();
    const context = partContext(time);
    const source = new RedisStreamSource({ host: "127.0.0.1", port: cable.port }, { stream: "c" });
    const partition = await source.buildPart("c", undefined, context);
    bench.later(() => partition.close());
    const batch = partition.nextBatch();
    await partition.drained();
    cable.freeze();
    await bench.control.xadd("c", "*", "data", "line");
    expect(await passUntil(() => context.logger.of("redis-lost").length > 0)).toBeLessThanOrEqual(LIMIT_MS);
    expect(await passUntilSettled(batch)).toMatchObject({ events: ["line"] });
  });
});
