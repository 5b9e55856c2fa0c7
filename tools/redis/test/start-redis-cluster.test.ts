import { expect, test } from "@jest/globals";
import { startRedisCluster } from "../src/start-redis-cluster.ts";
import { command, isAlive } from "./helpers.ts";

test("a cluster serves every slot from one of its masters, and all its nodes end", async () => {
  const cluster = await startRedisCluster({ masters: 3 });
  try {
    const [first, second, third] = cluster.nodes;
    if (first === undefined || second === undefined || third === undefined) throw new Error("three nodes");
    // Slots by CRC16: "b" has 3300, "a" has 15495.
    await expect(command(first, "SET", "b", "1")).resolves.toBe("OK");
    await expect(command(third, "SET", "a", "1")).resolves.toBe("OK");
    await expect(command(second, "SET", "a", "1")).rejects.toThrow(`MOVED 15495 127.0.0.1:${third.port}`);
    const slots = await Promise.all(
      cluster.nodes.map((node) => command(node, "CLUSTER", "COUNTKEYSINSLOT", "15495")),
    );
    expect(slots).toEqual(["0", "0", "1"]);
  } finally {
    await Promise.all([cluster.stop(), cluster.stop()]);
  }
  expect(cluster.nodes.map(({ pid }) => isAlive(pid))).toEqual([false, false, false]);
});
