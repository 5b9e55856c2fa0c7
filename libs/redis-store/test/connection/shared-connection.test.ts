import { describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import type { TaskStore } from "@millrace/dataflow";
import { SYSTEM_TIME } from "@millrace/dataflow";
import { TASK, commitOf, largeCommit, takeOver } from "../support/commits.ts";
import { clientOf, serverOf, storeOf } from "../support/servers.ts";

const PARTS = ["{clicks:0}", "{clicks:1}", "{clicks:2}", "{clicks:3}"];

async function storeConnections(client: Redis): Promise<number> {
  const list = String(await client.client("LIST"));
  return list.split("\n").filter((line) => line.includes("name=millrace_store")).length;
}

describe("the tasks of one store", () => {
  it("share one connection, which the last one closes", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const store = storeOf(server);
    const tasks: TaskStore[] = [];
    for (const part of PARTS) {
      expect(await store.look({ flow: "f", part })).toBeUndefined();
      tasks.push(await store.acquire({ flow: "f", part }));
    }
    await Promise.all(tasks.map((task) => task.commit(commitOf(1))));
    expect(await storeConnections(client)).toBe(1);
    await tasks.pop()?.close();
    await Promise.all(tasks.map((task) => task.commit(commitOf(2))));
    await Promise.all(tasks.map((task) => task.close()));
    while ((await storeConnections(client)) > 0) await SYSTEM_TIME.yield();
  });

  it("commit once each if their connection is cut", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const store = storeOf(server);
    const tasks = await Promise.all(PARTS.map((part) => store.acquire({ flow: "f", part })));
    for (let number = 1; number <= 5; number += 1) {
      const commits = tasks.map((task) => task.commit(largeCommit(number, 300)));
      await client.client("KILL", "TYPE", "normal", "SKIPME", "yes");
      for (const result of await Promise.all(commits)) expect(result.kind).toMatch(/^(already-)?applied$/);
    }
    for (const part of PARTS) {
      expect(await client.xlen(`millrace:${part}:f:results:out`)).toBe(5 * 300);
      expect(await takeOver(store, { flow: "f", part })).toMatchObject({ commitNumber: 5 });
    }
  });

  it("fence each other as tasks of two stores do", async () => {
    const server = await serverOf();
    const store = storeOf(server);
    const zombie = await store.acquire(TASK);
    const owner = await store.acquire(TASK);
    expect(await zombie.commit(commitOf(1))).toMatchObject({ kind: "fenced" });
    expect(await owner.commit(commitOf(1))).toMatchObject({ kind: "applied" });
  });
});
