import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import type { Commit, Logger } from "@millrace/dataflow";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisRefusedError } from "@millrace/redis-source";
import { KeyOccupiedError, RedisStore, StoreUnavailableError, TaskKeys } from "@millrace/redis-store";
import type { FailPoint } from "@millrace/redis-store";
import { OWNER_COMMANDS } from "../../src/scripts/acquire.ts";
import { BASE, TASK } from "../support/commits.ts";
import { HurriedTime } from "../support/hurried-time.ts";
import { contentOf, threeCommits } from "../support/scenario.ts";

/** A fault while a task runs, and how it is repaired. */
interface Fault {
  readonly name: string;
  readonly strike: () => Promise<unknown>;
  readonly mend: () => Promise<unknown>;
}

/** When it happens: a small commit is one call; a large one has calls before, at and after the commit is made. */
const MOMENTS = [
  ["a small commit", 3, "before-commit"],
  ["the staging of a large commit", 400, "before-commit"],
  ["the making of a large commit", 400, "staged"],
  ["the journal of a large commit", 400, "made"],
] as const;

const STORE_TIMEOUT_MS = 60_000;
/** An outage of this length is logged. */
const PASSING_MS = 1_000;

let server: LocalRedis;
let admin: Redis;
let subscriber: Redis;
let heard: string[];

beforeAll(async () => {
  server = await startRedis({ args: ["--busy-reply-threshold", "10"] });
  admin = new Redis(server.url);
  subscriber = new Redis(server.url);
  const hear = (channel: string, message: string): number => heard.push(`${channel} ${message}`);
  subscriber.on("message", hear);
  subscriber.on("smessage", hear);
  await subscriber.subscribe(`${BASE}:results:history`);
  await subscriber.ssubscribe(`${BASE}:results:latest`);
});

afterAll(async () => {
  subscriber.disconnect();
  admin.disconnect();
  await server.stop();
});

beforeEach(() => grant("reset", "on", ">pw", "~millrace:*", "&millrace:*", "+@all"));

const grant = (...rules: readonly string[]): Promise<unknown> =>
  admin.call("ACL", "SETUSER", "ana", ...rules);

/** What is in Redis, and what subscribers received, after three commits with a fault in the second one. */
interface Outcome {
  readonly left: unknown;
  readonly heard: readonly string[];
  readonly failure: unknown;
}

/** The time limit is over as soon as the log says why the store waits. */
function impatience(): { readonly time: HurriedTime; readonly logger: Logger } {
  const time = new HurriedTime();
  const nothing = (): void => undefined;
  const warn = (fields: object): void => {
    const event: unknown = Reflect.get(fields, "event");
    if (event === "store-waiting" || event === "redis-not-ready") time.skip(STORE_TIMEOUT_MS);
  };
  return { time, logger: { debug: nothing, info: nothing, warn, error: nothing } };
}

async function runWith(fault: Fault | undefined, size: number, moment: FailPoint): Promise<Outcome> {
  await admin.flushall();
  heard = [];
  let struck = fault === undefined;
  const failPoint = async (name: FailPoint): Promise<void> => {
    if (struck || name !== moment || !committing) return;
    struck = true;
    await fault?.strike();
    time.skip(PASSING_MS);
  };
  let committing = false;
  const { time, logger } = impatience();
  const store = new RedisStore(
    { url: `redis://ana:pw@127.0.0.1:${server.port}` },
    { failPoint, storeTimeoutMs: STORE_TIMEOUT_MS, time, logger, maxCallBytes: 1 },
  );
  const second = new RedisStore({ url: server.url }, { maxCallBytes: 1 });
  try {
    const [first, middle, last] = await threeCommits(store, size);
    if (first === undefined || middle === undefined || last === undefined) throw new Error("three commits");
    const task = await store.acquire(TASK);
    await task.commit(first);
    committing = true;
    const failure = await task.commit(middle).then(
      () => undefined,
      (error: unknown) => error,
    );
    await fault?.mend();
    const owner = await second.acquire(TASK);
    const commits: readonly Commit[] = (await owner.load())?.commitNumber === 1 ? [middle, last] : [last];
    for (const commit of commits) expect(await owner.commit(commit)).toMatchObject({ kind: "applied" });
    await subscriber.ping();
    return { left: await contentOf(admin), heard, failure };
  } finally {
    await store.close();
    await second.close();
  }
}

/** @returns names of the faults that made the commit fail, with the errors */
async function expectExact(
  faults: readonly Fault[],
  size: number,
  moment: FailPoint,
): Promise<ReadonlyMap<string, unknown>> {
  const clean = await runWith(undefined, size, moment);
  expect(clean.failure).toBeUndefined();
  const failures = new Map<string, unknown>();
  for (const fault of faults) {
    const { left, heard, failure } = await runWith(fault, size, moment);
    expect([fault.name, left]).toEqual([fault.name, clean.left]);
    expect([fault.name, heard]).toEqual([fault.name, clean.heard]);
    if (failure !== undefined) failures.set(fault.name, failure);
  }
  return failures;
}

/** Resolves when Redis reports that a script blocks it. */
async function busy(): Promise<void> {
  while (
    await admin.ping().then(
      () => true,
      () => false,
    )
  );
}

const KEYS = new TaskKeys(TASK);
const ALL_KEYS = [
  KEYS.meta,
  KEYS.groups,
  KEYS.staged,
  KEYS.journal,
  ...["w/1", "w/2", "w/3"].map((name) => KEYS.group(name)),
  ...["1", "2", "s1", "s2"].map((name) => KEYS.window("latest", name)),
  ...["1", "2", "s1", "s2"].map((name) => KEYS.revisions("latest", name)),
  KEYS.results("history"),
];

/** Another program writes to a key; later it is repaired. */
function foreign(key: string): Fault {
  let kept = false;
  return {
    name: key,
    strike: async () => {
      kept = (await admin.exists(key)) === 1;
      if (kept) await admin.rename(key, `${key}#kept`);
      await (key === KEYS.results("history") ? admin.hset(key, "a", "b") : admin.set(key, "theirs"));
    },
    mend: async () => {
      await admin.del(key);
      if (kept) await admin.rename(`${key}#kept`, key);
    },
  };
}

const withoutCommand = (name: string): Fault => ({
  name,
  strike: () => grant(`-${name}`),
  mend: () => grant(`+${name}`),
});

const withoutKey = (key: string): Fault => ({
  name: key,
  strike: () =>
    grant(
      "resetkeys",
      ...[...ALL_KEYS, KEYS.absent].filter((each) => each !== key).map((each) => `~${each}`),
    ),
  mend: () => grant("~millrace:*"),
});

describe.each(MOMENTS)("%s", (_, size, moment) => {
  it("fails as a whole if a key holds another type, and what follows is exact", async () => {
    const failures = await expectExact(ALL_KEYS.map(foreign), size, moment);
    // Nothing that was staged before is needed once the commit is made.
    const touched = ALL_KEYS.filter((key) => moment !== "made" || key !== KEYS.staged);
    expect([...failures.keys()]).toEqual(touched);
    for (const [key, failure] of failures) {
      expect(failure).toBeInstanceOf(KeyOccupiedError);
      expect(failure).toMatchObject({
        code: "MILLRACE_STORE_KEY_OCCUPIED",
        retryable: false,
        // True before a large commit is made and after.
        message: expect.stringContaining("first applies the rest of it"),
      });
      expect(String(failure)).toContain(`${key} holds a `);
    }
  }, 60_000);

  it("fails as a whole if a permission is revoked, and what follows is exact", async () => {
    const commands = [...OWNER_COMMANDS, "TYPE", "PUBLISH", "SPUBLISH", "EVALSHA"];
    const failures = await expectExact(commands.map(withoutCommand), size, moment);
    for (const failure of failures.values()) expect(failure).toBeInstanceOf(RedisRefusedError);
    expect(failures.size).toBeGreaterThan(3);
    if (size === 3) expect([...failures.keys()]).toEqual(expect.arrayContaining(["XADD", "PUBLISH", "HDEL"]));
  }, 60_000);

  it("fails as a whole if the permission for a key is revoked, and what follows is exact", async () => {
    const failures = await expectExact(ALL_KEYS.map(withoutKey), size, moment);
    for (const failure of failures.values()) {
      expect(failure).toBeInstanceOf(RedisRefusedError);
      expect(String(failure)).toContain("ACL SETUSER");
    }
    expect(failures.size).toBeGreaterThan(moment === "made" ? 10 : 0);
  }, 60_000);

  it("waits if Redis accepts no writes, and what follows is exact", async () => {
    let endless: Redis | undefined;
    const faults: readonly Fault[] = [
      {
        name: "OOM",
        strike: () => admin.config("SET", "maxmemory", "1"),
        mend: () => admin.config("SET", "maxmemory", "0"),
      },
      {
        name: "NOREPLICAS",
        strike: () => admin.config("SET", "min-replicas-to-write", "1"),
        mend: () => admin.config("SET", "min-replicas-to-write", "0"),
      },
      {
        name: "READONLY",
        strike: () => admin.replicaof("127.0.0.1", 1),
        mend: () => admin.replicaof("NO", "ONE"),
      },
      {
        name: "BUSY",
        strike: () => {
          endless = subscriber.duplicate();
          endless.eval("while true do end", 0).catch(() => undefined);
          return busy();
        },
        mend: async () => {
          await admin.script("KILL");
          endless?.disconnect();
        },
      },
    ];
    const failures = await expectExact(faults, size, moment);
    for (const [name, failure] of failures) {
      expect(failure).toBeInstanceOf(StoreUnavailableError);
      expect(String(failure)).toContain(name === "READONLY" ? "is a replica" : name);
    }
    // A commit that is made is finished even if Redis is out of memory.
    expect(failures.size).toBe(moment === "made" ? 3 : 4);
  }, 60_000);
});

it("refuses a stream that has used up its ids, before anything is written", async () => {
  const history = KEYS.results("history");
  const fault: Fault = {
    name: history,
    strike: async () => {
      await admin.rename(history, `${history}#kept`);
      await admin.xadd(history, "18446744073709551615-18446744073709551615", "a", "b");
    },
    mend: () => admin.rename(`${history}#kept`, history),
  };
  const failures = await expectExact([fault], 3, "before-commit");
  expect(failures.get(history)).toBeInstanceOf(KeyOccupiedError);
});
