import { expect, test } from "@jest/globals";
import { startRedisSentinel } from "../src/start-redis-sentinel.ts";
import { command, isAlive, until } from "./helpers.ts";

test("Sentinels promote another master when theirs dies, and all servers end", async () => {
  const group = await startRedisSentinel({ sentinelPassword: "s3cret" });
  const [first, second] = group.nodes;
  if (first === undefined || second === undefined) throw new Error("two data servers");
  try {
    expect(group.sentinels).toHaveLength(3);
    await expect(group.master()).resolves.toBe(first);
    await command(first, "SET", "a", "1");
    // WAIT would be no proof: it waits for the writes of its own connection.
    await until("the replica has the write", async () => (await command(second, "GET", "a")) === "1");
    await expect(command(second, "SET", "a", "2")).rejects.toThrow("READONLY");
    await expect(group.failOver()).resolves.toBe(second);
    // A Sentinel closes the clients of a new master, also one that has just sent a command.
    await until("the new master takes writes, and has those of the first", async () => {
      try {
        await command(second, "SET", "b", "2");
        return (await command(second, "GET", "a")) === "1";
      } catch {
        return false;
      }
    });
  } finally {
    await Promise.all([group.stop(), group.stop()]);
  }
  expect([...group.nodes, ...group.sentinels].map(({ pid }) => isAlive(pid))).toEqual(Array(5).fill(false));
}, 60_000);

test("a replica without replication is still promoted, and lacks later writes", async () => {
  await using group = await startRedisSentinel();
  const [first, second] = group.nodes;
  if (first === undefined || second === undefined) throw new Error("two data servers");
  await command(first, "SET", "a", "1");
  await group.stopReplication();
  await command(first, "SET", "a", "2");
  await first.kill();
  await expect(group.successorOf(first)).resolves.toBe(second);
  await expect(command(second, "GET", "a")).resolves.toBe("1");
}, 60_000);
