import { afterAll, beforeAll, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Redis } from "ioredis";
import { MemoryStore } from "@millrace/dataflow";
import type { Commit, Json, TaskStore } from "@millrace/dataflow";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisStore } from "@millrace/redis-store";
import { TASK, commitOf, plain } from "./support/commits.ts";

/** Like the unit "binary" of fast-check, whose table of all characters takes a second to make. */
const anyCharacter = fc.nat(0x10ffff).map((code) => Buffer.from(String.fromCodePoint(code)).toString());

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

/** Few names, so that changes overlap; some that UTF-8 or a careless encoding would confuse. */
const names = fc.oneof(
  fc.constantFrom("a", "b", "", "0", '"a"', "\ud800", "\udfff", "é\u{1f600}", "{x}:y", "__proto__"),
  fc.string({ unit: anyCharacter, maxLength: 3 }),
);
// Not noNullPrototype alone: what JSON gives back is what a task gets.
const values = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);

const change = fc.record(
  {
    group: names.map((name) => `w/${name}`),
    drop: fc.constant(true as const),
    put: fc.array(fc.tuple(names, values), { maxLength: 8 }),
    delete: fc.array(names, { maxLength: 4 }),
  },
  { requiredKeys: ["group"] },
);
const step = fc.record({
  /** What the task does before: continues, acquires the task again, or commits with a wrong number. */
  move: fc.constantFrom("commit", "commit", "take over", "repeat", "skip"),
  changes: fc.array(change, { maxLength: 5 }),
  position: values,
  sinks: fc.dictionary(names, values, { maxKeys: 2 }),
  partial: fc.boolean(),
});

it("loads the same as a store in memory, after any commits", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
      await admin.flushall();
      const redis = new RedisStore({ url: server.url }, { pageFields: 3 });
      const memory = new MemoryStore();
      try {
        let tasks: readonly [TaskStore, TaskStore] = [await redis.acquire(TASK), await memory.acquire(TASK)];
        let number = 0;
        for (const { move, ...rest } of steps) {
          if (move === "take over") tasks = [await redis.acquire(TASK), await memory.acquire(TASK)];
          const commit: Commit = commitOf(number + (move === "skip" ? 2 : move === "repeat" ? 0 : 1), rest);
          const [found, expected] = await Promise.all(tasks.map((task) => task.commit(commit)));
          expect(found).toMatchObject(expected ?? {});
          if (expected?.kind === "applied") number = commit.number;
          const [inRedis, inMemory] = await Promise.all(tasks.map((task) => task.load()));
          expect(plain(inRedis)).toEqual(plain(inMemory));
        }
      } finally {
        await redis.close();
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);
