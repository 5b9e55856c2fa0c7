import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { FlowError, SILENT_LOGGER, SYSTEM_TIME } from "@millrace/dataflow";
import type { LeaseTable, LeaseTableContext } from "@millrace/dataflow";
import { assignmentConformance } from "@millrace/dataflow/testing";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisOptionsError } from "@millrace/redis-source";
import { RedisAssignment, inspectWorkers } from "@millrace/redis-store";
import { GroupKeys } from "../src/assignment/group-keys.ts";
import { RedisLeaseTable } from "../src/assignment/redis-lease-table.ts";

/** The shortest one: a heartbeat every 50 ms. */
const LEASE_MS = 500;
const PARTS = Array.from({ length: 8 }, (_, n) => `{clicks:${n}}`);

const DOCUMENTED = readFileSync(join(import.meta.dirname, "../../../docs/scale.md"), "utf8");

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

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("RedisAssignment is a shared assignment", () => {
  const cases = assignmentConformance({
    async open() {
      await admin.flushall();
      return {
        parts: PARTS,
        worker: () => ({
          assignment: new RedisAssignment({ url: server.url }, { leaseMs: LEASE_MS }),
          time: SYSTEM_TIME,
        }),
        async until(met, what) {
          for (let left = 40; !met(); left -= 1) {
            if (left === 0) throw new Error(`there is still not ${what}`);
            await wait(LEASE_MS / 20);
          }
        },
        pass: () => wait(LEASE_MS / 3),
        close: () => Promise.resolve(),
      };
    },
  });
  for (const { name, run } of cases) it(name, run);
});

function contextOf(parts: readonly string[] = PARTS): LeaseTableContext {
  return { flow: "counts", parts, logger: SILENT_LOGGER, time: SYSTEM_TIME };
}

/** Leases that do not end during a test. */
async function tables<T>(use: (open: (parts?: readonly string[]) => LeaseTable) => Promise<T>): Promise<T> {
  await admin.flushall();
  const opened: LeaseTable[] = [];
  try {
    return await use((parts) => {
      const table = new RedisLeaseTable({ url: server.url }, new GroupKeys("counts"), contextOf(parts));
      opened.push(table);
      return table;
    });
  } finally {
    await Promise.all(opened.map((table) => table.close()));
  }
}

const beat = (worker: string, leaving = false) => ({ worker, leaseMs: 30_000, leaving });

/** As if the group had formed long ago. */
const formed = (): Promise<number> => admin.hset(new GroupKeys("counts").about, "formed", 0);

describe("RedisLeaseTable", () => {
  it("gives 256 parts to six workers with the fewest moves, and those of one that leaves to the others", () =>
    tables(async (open) => {
      const parts = Array.from({ length: 256 }, (_, n) => `{many:${n}}`);
      const table = open(parts);
      const workers = ["a", "b", "c", "d", "e"];
      await table.beat(beat("a"));
      await formed();
      for (const worker of workers) await table.beat(beat(worker));
      const sizes = new Map<string, readonly string[]>();
      const round = async (names: readonly string[]): Promise<void> => {
        for (const name of names) {
          const { owned, atMost } = await table.beat(beat(name));
          for (const part of owned.slice(atMost)) await table.release(name, part);
          sizes.set(name, owned.slice(0, atMost));
        }
      };
      await round(workers);
      await round(workers);
      const before = new Map(sizes);
      const of = (name: string): number => sizes.get(name)?.length ?? 0;
      expect(workers.map(of).sort((a, b) => a - b)).toEqual([51, 51, 51, 51, 52]);
      for (let rounds = 0; rounds < 3; rounds += 1) await round([...workers, "f"]);
      expect([...workers, "f"].map(of).sort((a, b) => a - b)).toEqual([42, 42, 43, 43, 43, 43]);
      // What the five still have they had before, so that only what the sixth has was moved.
      for (const name of workers)
        expect((sizes.get(name) ?? []).every((part) => before.get(name)?.includes(part) === true)).toBe(true);
      await table.leave("b");
      const rest = ["a", "c", "d", "e", "f"];
      await round(rest);
      expect(rest.map(of).sort((a, b) => a - b)).toEqual([51, 51, 51, 51, 52]);
    }));

  it("gives a group that forms no parts, so that workers that start together share at once", () =>
    tables(async (open) => {
      const [one, two] = [open(), open()];
      const first = await one.beat(beat("a"));
      expect(first).toMatchObject({ owned: [], atMost: 8 });
      expect(first.formingMs).toBeGreaterThan(900);
      expect(await two.beat(beat("b"))).toMatchObject({ owned: [], atMost: 4 });
      await formed();
      expect((await one.beat(beat("a"))).owned).toHaveLength(4);
      expect((await two.beat(beat("b"))).owned).toHaveLength(4);
    }));

  it("counts a worker that leaves no more, but gives away only what it has released", () =>
    tables(async (open) => {
      const table = open();
      for (const worker of ["a", "b"]) await table.beat(beat(worker));
      await formed();
      for (const worker of ["a", "b"]) await table.beat(beat(worker));
      const { owned, atMost } = await table.beat(beat("a", true));
      expect([owned.length, atMost]).toEqual([4, 0]);
      expect(await table.beat(beat("b"))).toMatchObject({ atMost: 8, owned: { length: 4 } });
      await table.release("a", owned[0] ?? "");
      await table.release("b", owned[1] ?? "");
      expect((await table.beat(beat("b"))).owned).toHaveLength(5);
      await table.leave("a");
      expect((await table.beat(beat("b"))).owned).toHaveLength(8);
      await table.leave("b");
      expect(await admin.keys("*")).toEqual([]);
    }));

  it("names what the others share to a worker with other partitions, and takes it when they are gone", () =>
    tables(async (open) => {
      const eight = open();
      const sixteen = open(Array.from({ length: 16 }, (_, n) => `{clicks:${n}}`));
      await eight.beat(beat("a"));
      await expect(sixteen.beat(beat("b"))).rejects.toMatchObject({
        code: "MILLRACE_SHARED_PARTS_DIFFER",
        message: expect.stringMatching(
          /share 8 partitions, \{clicks:0\} to \{clicks:7\}, and this one would share 16 partitions, .*--group/,
        ),
      });
      await eight.leave("a");
      await expect(sixteen.beat(beat("b"))).resolves.toMatchObject({ atMost: 16 });
    }));

  it("keeps names apart that would be the same in UTF-8", () =>
    tables(async (open) => {
      const parts = ["\ud800", "\udbff", '"', "plain"];
      const table = open(parts);
      await table.beat(beat("a"));
      await formed();
      expect((await table.beat(beat("a"))).owned).toEqual(parts);
    }));

  it("shows workers, their leases and their parts", () =>
    tables(async (open) => {
      expect(await inspectWorkers({ url: server.url }, "counts")).toEqual([]);
      const table = open();
      for (const worker of ["a", "b"]) await table.beat(beat(worker));
      await formed();
      await table.beat(beat("a"));
      await table.beat(beat("b", true));
      const workers = await inspectWorkers({ url: server.url }, "counts");
      expect(workers).toMatchObject([
        { worker: "a", pid: process.pid, leaving: false, parts: { length: 4 } },
        { worker: "b", leaving: true, parts: [] },
      ]);
      for (const { leaseAgeMs = -1, leaseLeftMs } of workers) {
        expect(leaseAgeMs).toBeGreaterThanOrEqual(0);
        expect(leaseAgeMs + leaseLeftMs).toBe(30_000);
      }
    }));

  it("works with the permissions that docs/scale.md lists, and names one that is missing at the first heartbeat", () =>
    tables(async (open) => {
      await open().beat(beat("a"));
      const commands = ["eval", "evalsha", "info", "time", "type"];
      const onSets = ["zrange", "zrangebyscore", "zadd", "zrem", "zcard"];
      const onHashes = ["hget", "hgetall", "hset", "hdel", "unlink"];
      const all = [...commands, ...onSets, ...onHashes];
      expect(/^ACL SETUSER worker .*~millrace:\{counts\}:share:\* (.*)$/m.exec(DOCUMENTED)?.[1]).toBe(
        all.map((command) => `+${command}`).join(" "),
      );
      const { host, port } = new URL(server.url);
      const url = `redis://ana:pw@${host.split(":")[0]}:${port}`;
      const beatWith = async (allowed: readonly string[]): Promise<unknown> => {
        const rules = [
          "reset",
          "on",
          ">pw",
          "~millrace:{counts}:share:*",
          ...allowed.map((each) => `+${each}`),
        ];
        await admin.call("ACL", "SETUSER", "ana", ...rules);
        const table = new RedisLeaseTable({ url }, new GroupKeys("counts"), contextOf());
        try {
          const share = await table.beat(beat("b"));
          await table.leave("b");
          return share;
        } finally {
          await table.close();
        }
      };
      await expect(beatWith(all)).resolves.toMatchObject({ atMost: 4 });
      for (const missing of ["time", ...onSets, ...onHashes]) {
        await expect(beatWith(all.filter((each) => each !== missing))).rejects.toMatchObject({
          code: "MILLRACE_REDIS_REFUSED",
          message: expect.stringMatching(new RegExp(missing, "i")),
        });
      }
    }));
});

describe("RedisAssignment", () => {
  it.each([{ keyPrefix: "a{b}" }, { keyPrefix: "" }])("refuses %j", (options) => {
    expect(() => new RedisAssignment({ url: server.url }, options)).toThrow(RedisOptionsError);
  });

  it("refuses a short lease, and a group without a name", () => {
    expect(() => new RedisAssignment({ url: server.url }, { leaseMs: 100 })).toThrow(FlowError);
    expect(() => new GroupKeys("")).toThrow(RedisOptionsError);
    expect(new GroupKeys("a{b}:c").workers).toBe("millrace:{a%7Bb%7D%3Ac}:share:workers");
  });
});
