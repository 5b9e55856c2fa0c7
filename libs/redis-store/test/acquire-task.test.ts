import { describe, expect, it } from "@jest/globals";
import { DEFAULT_TASK_ACCESS_OPTIONS, TaskKeys } from "@millrace/redis-store";
import { RedisRefusedError } from "@millrace/redis-source";
import { TaskConnection } from "../src/connection/task-connection.ts";
import { OWNER_COMMANDS, acquireTask } from "../src/scripts/acquire.ts";
import { TASK, largeCommit, takeOver } from "./support/commits.ts";
import { threeCommits } from "./support/scenario.ts";
import { cleanUp, clientOf, serverOf, storeOf } from "./support/servers.ts";

const KEYS = new TaskKeys(TASK);

it("returns the same fence to the same owner, and a higher one to another", async () => {
  const { url } = await serverOf();
  const connection = new TaskConnection({ url }, KEYS.meta, DEFAULT_TASK_ACCESS_OPTIONS);
  cleanUp(() => connection.close());
  const fence = await acquireTask(connection, KEYS, "ana");
  expect(await acquireTask(connection, KEYS, "ana")).toBe(fence);
  expect(await acquireTask(connection, KEYS, "ben")).toBeGreaterThan(fence);
});

describe("permissions", () => {
  it("are checked when a task is acquired: all that an owner can need, before the other owner is stopped", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const store = storeOf({ url: `redis://ana:pw@127.0.0.1:${server.port}` });
    const grant = (...rules: readonly string[]): Promise<unknown> =>
      client.call("ACL", "SETUSER", "ana", "on", ">pw", ...rules);
    await grant("~millrace:*", "+@all");
    const { fence } = await store.acquire(TASK);
    const refused = async (what: string): Promise<void> => {
      const failure = await store.acquire(TASK).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect([what, failure]).toEqual([what, expect.any(RedisRefusedError)]);
      expect(await client.hget(KEYS.meta, "fence")).toBe(String(fence));
    };
    for (const name of [...OWNER_COMMANDS, "TYPE"]) {
      await grant(`-${name}`);
      await refused(name);
      await grant(`+${name}`);
    }
    const kinds = ["meta", "groups", "staged", "journal", "nothing", "group:*", "results:*", "revisions:*"];
    for (const kind of kinds) {
      const others = kinds.filter((each) => each !== kind).map((each) => `~*:${each}`);
      await grant("resetkeys", ...others);
      await refused(kind);
    }
    await grant("resetkeys", "~millrace:*");
    expect((await store.acquire(TASK)).fence).toBeGreaterThan(fence);
  });

  it("that are checked are those that a life needs", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const store = storeOf(server);
    await client.config("RESETSTAT");
    await store.look(TASK);
    const task = await store.acquire(TASK);
    await task.load();
    for (const commit of await threeCommits(store, 3)) await task.commit(commit);
    await task.commit(largeCommit(4));
    await takeOver(store);
    const stats = await client.info("commandstats");
    const used = [...stats.matchAll(/cmdstat_([a-z_]+)/g)].map(([, name = ""]) => name.toUpperCase());
    // Connecting, finding the owner of a slot, and calling scripts. The commit checks channels.
    const around = [
      "AUTH",
      "CLIENT",
      "CONFIG",
      "EVAL",
      "EVALSHA",
      "EVALSHA_RO",
      "EVAL_RO",
      "HELLO",
      "INFO",
      "PUBLISH",
      "SPUBLISH",
      "CLUSTER",
    ];
    const known = [...OWNER_COMMANDS, "TYPE", ...around];
    expect(used.filter((name) => !known.includes(name))).toEqual([]);
    // No unused permission is checked, either; only the reset is left.
    expect(OWNER_COMMANDS.filter((name) => !used.includes(name))).toEqual([]);
  });
});
