import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisPubSubSource } from "../../src/pubsub/pubsub-source.ts";
import type { PubSubPartition } from "../../src/pubsub/pubsub-partition.ts";
import type { RedisPubSubSourceOptions } from "../../src/pubsub/pubsub-source-options.ts";
import { VirtualTime } from "@millrace/dataflow/testing";
import { passTimeUntil } from "../support/pass-time.ts";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { takeAll } from "../support/take.ts";
import { until } from "../support/until.ts";

let server: LocalRedis;
let publisher: Redis;

beforeEach(async () => {
  server = await startRedis();
  publisher = new Redis(server.url);
  publisher.on("error", () => undefined);
});

afterEach(async () => {
  publisher.disconnect();
  await server.stop();
});

function subscribe(
  context: TestContext = partContext(),
  options: Omit<RedisPubSubSourceOptions, "channel" | "pattern"> = {},
): Promise<PubSubPartition> {
  const source = new RedisPubSubSource({ url: server.url }, { channel: "clicks", ...options });
  return source.buildPart("clicks", undefined, context);
}

async function publish(count: number): Promise<string[]> {
  const messages = Array.from({ length: count }, (_, i) => `line ${i}`);
  const pipeline = publisher.pipeline();
  for (const message of messages) pipeline.publish("clicks", message);
  await pipeline.exec();
  return messages;
}

async function subscribers(): Promise<number> {
  return Number((await publisher.pubsub("NUMSUB", "clicks"))[1]);
}

describe("stop", () => {
  it("delivers everything published before it, then ends, and leaves no subscription", async () => {
    const partition = await subscribe();
    const messages = await publish(2_000);
    partition.stop();
    expect(await takeAll(partition)).toEqual(messages);
    expect(await subscribers()).toBe(0);
    await partition.close();
  });

  it("reads the rest that a full queue left in the socket", async () => {
    const partition = await subscribe(partContext(), { maxQueuedEvents: 10 });
    const messages = await publish(6_000);
    await until(() => partition.stats().pauses === 1);
    partition.stop();
    expect(await takeAll(partition)).toEqual(messages);
    await partition.close();
  });

  it("takes as long for that as the flow: a socket that is not read says nothing about Redis", async () => {
    const time = new VirtualTime();
    const partition = await subscribe(partContext(time), { maxQueuedEvents: 10 });
    const messages = await publish(6_000);
    await until(() => partition.stats().pauses === 1);
    partition.stop();
    for (let seconds = 1; seconds <= 5; seconds += 1) {
      await time.yield();
      time.set(seconds * 1_000);
    }
    expect(await takeAll(partition)).toEqual(messages);
    await partition.close();
  });

  it("ends at once while there is no connection", async () => {
    const context = partContext();
    const partition = await subscribe(context);
    const messages = await publish(10);
    await until(() => partition.stats().queued === 10);
    await server.kill();
    await context.logger.logged("redis-lost");
    partition.stop();
    expect(await takeAll(partition)).toEqual(messages);
    await partition.close();
  });

  it("waits for a Redis that hangs a second for each of two answers, and no longer", async () => {
    const time = new VirtualTime();
    const partition = await subscribe(partContext(time));
    await server.kill("SIGSTOP");
    const batch = partition.nextBatch();
    partition.stop();
    partition.stop();
    let ended = false;
    void batch.then(() => (ended = true));
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    expect(await passTimeUntil(time, turn, () => ended)).toBeLessThanOrEqual(2_500);
    expect(await batch).toEqual({ kind: "end" });
    await partition.close();
  });
});

describe("close", () => {
  it.each([
    ["connected", (): Promise<void> => Promise.resolve()],
    ["facing a Redis that hangs", (): Promise<void> => server.kill("SIGSTOP")],
    [
      "reconnecting",
      async (context: TestContext): Promise<void> => {
        await server.kill();
        await context.logger.logged("redis-lost");
      },
    ],
  ])("rejects what is outstanding when %s", async (_, prepare) => {
    const context = partContext();
    const partition = await subscribe(context);
    await prepare(context);
    const batch = partition.nextBatch();
    const proof = partition.drained();
    await partition.close();
    expect(await batch).toEqual({ kind: "end" });
    // A Redis that answers may have done so before.
    expect((await proof)?.connection ?? 1).toBe(1);
    expect(await partition.drained()).toBeUndefined();
    await partition.close();
  });

  it("releases the queue and the subscription", async () => {
    const partition = await subscribe();
    await publish(10);
    await until(() => partition.stats().queued === 10);
    await partition.close();
    expect(await partition.nextBatch()).toEqual({ kind: "end" });
    await until(() => partition.stats().queued === 0);
    while ((await subscribers()) > 0) await publisher.ping();
  });

  it("leaves nothing open if the source was not built for lack of a Redis", async () => {
    await server.stop();
    const source = new RedisPubSubSource({ url: server.url, connectTimeoutMs: 100 }, { channel: "clicks" });
    await expect(source.buildPart("clicks", undefined, partContext())).rejects.toMatchObject({
      code: "MILLRACE_REDIS_UNREACHABLE",
    });
  });
});
