import { afterAll, beforeAll, describe, it } from "@jest/globals";
import { Redis } from "ioredis";
import { sinkConformance, sourceConformance } from "@millrace/dataflow/testing";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisPubSubSink, RedisPubSubSource } from "@millrace/redis-source";
import { frameOf } from "./support/frames.ts";

let server: LocalRedis;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server.stop();
});

describe("RedisPubSubSource, as any source", () => {
  const cases = sourceConformance({
    resumes: false,
    event: (n) => `{"click_id":${n}}`,
    open() {
      const publisher = new Redis(server.url);
      return Promise.resolve({
        source: new RedisPubSubSource({ url: server.url }, { channel: ["clicks:0", "clicks:1"] }),
        async put(part, events) {
          for (const event of events) await publisher.publish(part, String(event));
        },
        async close() {
          await publisher.quit();
        },
      });
    },
  });
  for (const { name, run } of cases) it(name, run);
});

describe("RedisPubSubSource with frames, sharded, as any source", () => {
  const cases = sourceConformance({
    resumes: false,
    event: (n) => `{"click_id":${n}}`,
    open() {
      const publisher = new Redis(server.url);
      const next = new Map<string, number>();
      return Promise.resolve({
        source: new RedisPubSubSource(
          { url: server.url },
          { channel: "clicks", partitions: 2, transport: "sharded" },
        ),
        async put(part, events) {
          const first = next.get(part) ?? 0;
          next.set(part, first + events.length);
          await publisher.spublish(
            part,
            frameOf(first, events.map(String), { producer: part.replace(/[{}]/g, "") }),
          );
        },
        async close() {
          await publisher.quit();
        },
      });
    },
  });
  for (const { name, run } of cases) it(name, run);
});

describe("RedisPubSubSource of a pattern, as any source", () => {
  const cases = sourceConformance({
    resumes: false,
    event: (n) => `{"click_id":${n}}`,
    open() {
      const publisher = new Redis(server.url);
      let put = 0;
      return Promise.resolve({
        source: new RedisPubSubSource({ url: server.url }, { pattern: "taps:*" }),
        async put(_part, events) {
          for (const event of events) await publisher.publish(`taps:${(put += 1) % 2}`, String(event));
        },
        async close() {
          await publisher.quit();
        },
      });
    },
  });
  for (const { name, run } of cases) it(name, run);
});

describe("RedisPubSubSink, as any sink", () => {
  const cases = sinkConformance<string | Uint8Array>({
    resumes: false,
    row: (n) => `{"row":${n}}`,
    async open() {
      const subscriber = new Redis(server.url);
      const heard: string[] = [];
      subscriber.on("message", (_channel, message) => heard.push(message));
      await subscriber.subscribe("rows");
      return {
        sink: new RedisPubSubSink({ url: server.url }, { channel: "rows" }),
        // The answer to PING comes after every message.
        read: () => subscriber.ping().then(() => heard),
        async close() {
          await subscriber.quit();
        },
      };
    },
  });
  for (const { name, run } of cases) it(name, run);
});
