import { afterAll, beforeAll, describe, it } from "@jest/globals";
import { Redis } from "ioredis";
import { sinkConformance, sourceConformance } from "@millrace/dataflow/testing";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisStreamSink, RedisStreamSource } from "@millrace/redis-source";

let server: LocalRedis;
let names = 0;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server.stop();
});

describe("RedisStreamSource, as any source", () => {
  const cases = sourceConformance({
    resumes: true,
    event: (n) => `{"click_id":${n}}`,
    open() {
      const publisher = new Redis(server.url);
      names += 1;
      return Promise.resolve({
        source: new RedisStreamSource({ url: server.url }, { stream: `clicks-${names}`, partitions: 2 }),
        async put(part, events) {
          for (const event of events) await publisher.xadd(part, "*", "data", String(event));
        },
        async close() {
          await publisher.quit();
        },
      });
    },
  });
  for (const { name, run } of cases) it(name, run);
});

describe("RedisStreamSource whose entries are the events, as any source", () => {
  const cases = sourceConformance({
    resumes: true,
    event: (n) => `{"click_id":"${n}"}`,
    open() {
      const publisher = new Redis(server.url);
      names += 1;
      const stream = [`north-${names}`, `south-${names}`];
      return Promise.resolve({
        source: new RedisStreamSource({ url: server.url }, { stream, entries: "fields" }),
        async put(part, events) {
          for (const event of events) {
            await publisher.xadd(part, "*", "click_id", /\d+/.exec(String(event))?.[0] ?? "");
          }
        },
        async close() {
          await publisher.quit();
        },
      });
    },
  });
  for (const { name, run } of cases) it(name, run);
});

describe("RedisStreamSink, as any sink", () => {
  const cases = sinkConformance<string | Uint8Array>({
    resumes: false,
    row: (n) => `{"row":${n}}`,
    open() {
      const reader = new Redis(server.url);
      names += 1;
      const stream = `rows-${names}`;
      return Promise.resolve({
        sink: new RedisStreamSink({ url: server.url }, { stream }),
        read: async () => (await reader.xrange(stream, "-", "+")).map(([, fields]) => fields[1] ?? ""),
        async close() {
          await reader.quit();
        },
      });
    },
  });
  for (const { name, run } of cases) it(name, run);
});
