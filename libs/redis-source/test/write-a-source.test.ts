import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { Dataflow, start } from "@millrace/dataflow";
import { TestingSink, sourceConformance } from "@millrace/dataflow/testing";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { redisListSource } from "./examples/redis-list-source.ts";
import { partContext } from "./support/part-context.ts";
import { take } from "./support/take.ts";
import { until } from "./support/until.ts";

const TEST = import.meta.dirname;

let server: LocalRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
});

beforeEach(() => {
  redis = new Redis(server.url);
});

afterEach(async () => {
  await redis.flushall();
  redis.disconnect();
});

afterAll(async () => {
  await server.stop();
});

describe("docs/write-a-source.md", () => {
  const guide = readFileSync(join(TEST, "../../../docs/write-a-source.md"), "utf8");
  const blocks = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);

  it("shows the source that is tested here, in under 40 lines", () => {
    expect(blocks[0]).toBe(readFileSync(join(TEST, "examples/redis-list-source.ts"), "utf8"));
    expect(blocks[0]?.trimEnd().split("\n").length).toBeLessThan(40);
  });

  it("shows the test that is run here", () => {
    expect(blocks).toHaveLength(2);
    expect(readFileSync(join(TEST, "write-a-source.test.ts"), "utf8")).toContain(blocks[1]);
  });
});

describe("redisListSource, as any source", () => {
  const cases = sourceConformance<string>({
    resumes: false,
    event: (n) => `event ${n}`,
    open: () =>
      Promise.resolve({
        source: redisListSource({ url: server.url }, "clicks"),
        async put(part, events) {
          await redis.rpush(part, ...events);
        },
        async close() {
          await redis.del("clicks");
        },
      }),
  });
  for (const { name, run } of cases) it(name, run);
});

describe("redisListSource", () => {
  it("proves nothing about events that are not delivered yet", async () => {
    const source = redisListSource({ url: server.url }, "clicks");
    const partition = await source.buildPart("clicks", undefined, partContext());
    let delivered = 0;
    for (let pushed = 1; pushed <= 200; pushed += 1) {
      const batch = take(partition, 1).then(({ length }) => {
        delivered += length;
      });
      await redis.rpush("clicks", "event");
      const missing = pushed - delivered;
      const proof = await partition.drained?.();
      // A question asked while the event was not delivered must not be answered with a proof.
      if (missing > 0) expect(proof).toBeUndefined();
      await batch;
    }
    await partition.close();
  });

  it("feeds a flow", async () => {
    const sink = new TestingSink<string>();
    const flow = new Dataflow("lists");
    flow.input("clicks", redisListSource({ url: server.url }, "clicks")).output("out", sink);
    const running = start(flow);
    await redis.rpush("clicks", "one", "two");
    await until(() => sink.rows.length === 2);
    await running.stop();
    expect(sink.rows).toEqual(["one", "two"]);
  });
});
