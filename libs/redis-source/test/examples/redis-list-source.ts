import type { Source } from "@millrace/dataflow";
import { type RedisConnectionOptions, connectRedis } from "@millrace/redis-source";

/** Reads what others RPUSH to a Redis list. */
export function redisListSource(redis: RedisConnectionOptions, list: string): Source<string> {
  return {
    partitioning: { kind: "single" },
    listParts: () => Promise.resolve([list]),
    async buildPart(part, _resume, { logger, time, signal }) {
      const settings = { role: `list ${part}`, logger, time, signal };
      const waiter = await connectRedis(redis, settings);
      const reader = await connectRedis(redis, settings).catch(async (error: unknown) => {
        await waiter.close();
        throw error;
      });
      let pops = 0;
      return {
        async nextBatch() {
          await (await waiter.whenUp()).blmove(part, part, "LEFT", "LEFT", 0);
          pops += 1;
          const events = await (await reader.whenUp()).lpop(part, 1_000);
          pops += 1;
          return { kind: "batch", events: events ?? [] };
        },
        async drained() {
          const reading = await reader.whenUp();
          const proof = { at: time.now(), connection: reader.number };
          const before = pops;
          const left = await reading.llen(part);
          return left === 0 && pops === before ? proof : undefined;
        },
        snapshot: () => null,
        async close() {
          await Promise.all([waiter.close(), reader.close()]);
        },
      };
    },
  };
}
