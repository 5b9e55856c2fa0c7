import { afterAll, beforeAll, describe, it } from "@jest/globals";
import { Redis } from "ioredis";
import { storeConformance } from "@millrace/dataflow/testing";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisStore } from "@millrace/redis-store";

let server: LocalRedis;
let admin: Redis;

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});

afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

describe("RedisStore, as any store", () => {
  const cases = storeConformance({
    async open() {
      await admin.flushall();
      const stores: RedisStore[] = [];
      const open = (): RedisStore => {
        const store = new RedisStore({ url: server.url });
        stores.push(store);
        return store;
      };
      return {
        store: open(),
        reopen: () => Promise.resolve(open()),
        close: async () => {
          for (const store of stores) await store.close();
        },
      };
    },
  });
  for (const { name, run } of cases) it(name, run);
});
