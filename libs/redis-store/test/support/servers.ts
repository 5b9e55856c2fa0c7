import { setImmediate } from "node:timers/promises";
import { afterEach } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis, LocalRedisOptions } from "@millrace/local-redis";
import { RedisStore } from "@millrace/redis-store";
import type { RedisStoreOptions } from "@millrace/redis-store";

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Called after the test, last one first. */
export function cleanUp(action: () => Promise<unknown>): void {
  cleanUps.push(action);
}

export async function serverOf(options: LocalRedisOptions = {}): Promise<LocalRedis> {
  const server = await startRedis(options);
  cleanUp(() => server.stop());
  return server;
}

/** A client for the test itself. */
export function clientOf({ url }: { readonly url: string }): Redis {
  const client = new Redis(url, { disconnectTimeout: 0 });
  client.on("error", () => undefined);
  cleanUp(() => {
    client.disconnect();
    return Promise.resolve();
  });
  return client;
}

/** A store that stages commits of more than one piece, so that tests need no larger ones. */
export function storeOf({ url }: { readonly url: string }, options: RedisStoreOptions = {}): RedisStore {
  const store = new RedisStore({ url }, { maxCallBytes: 1, ...options });
  cleanUp(() => store.close());
  return store;
}

/** Resolves when the server has refused something with this code, and the other clients of this process have read it. */
export async function refusedWith(client: Redis, code: string): Promise<void> {
  while (!(await client.info("errorstats")).includes(`errorstat_${code}:`)) await setImmediate();
  await client.ping();
  await setImmediate();
}

/** Rows of the stream `results:out`, oldest first. */
export async function rowsIn(client: Redis, stream: string): Promise<readonly unknown[]> {
  const entries = await client.xrange(stream, "-", "+");
  return entries.map(([, [, row]]): unknown => JSON.parse(row ?? ""));
}
