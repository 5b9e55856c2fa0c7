import { describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { CommitTooLargeError } from "@millrace/redis-store";
import type { FailPoint } from "@millrace/redis-store";
import { BASE, TASK, commitOf, largeCommit, put, rowsOut, takeOver } from "../support/commits.ts";
import { cuttingProxy } from "../support/cutting-proxy.ts";
import { clientOf, rowsIn, serverOf, storeOf } from "../support/servers.ts";
import { warnings } from "../support/warnings.ts";

const RESULTS = `${BASE}:results:out`;

class Died extends Error {}

/** Crashes at a fail point, once. */
function dyingAt(point: FailPoint): (name: FailPoint) => void {
  let alive = true;
  return (name) => {
    if (name !== point || !alive) return;
    alive = false;
    throw new Died(name);
  };
}

describe("a large commit", () => {
  it("is applied in pieces that leave nothing in Redis", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const task = await storeOf(server).acquire(TASK);
    expect(await task.commit(largeCommit(1))).toMatchObject({ kind: "applied" });
    expect(await task.commit(largeCommit(1))).toEqual({ kind: "already-applied" });
    expect(await client.hlen(`${BASE}:group:w/1`)).toBe(3_000);
    expect(await rowsIn(client, RESULTS)).toHaveLength(3_000);
    expect(await client.exists(`${BASE}:staged`, `${BASE}:journal`)).toBe(0);
  });

  it("is not there if its owner crashes before it is made", async () => {
    const server = await serverOf();
    const task = await storeOf(server, { failPoint: dyingAt("staged") }).acquire(TASK);
    await task.commit(commitOf(1, { changes: [put("w/1", { a: 1 })] }));
    await expect(task.commit(largeCommit(2))).rejects.toBeInstanceOf(Died);
    expect(await takeOver(storeOf(server))).toMatchObject({ commitNumber: 1, groups: { "w/1": { a: 1 } } });
    expect(await clientOf(server).exists(RESULTS, `${BASE}:staged`)).toBe(0);
  });

  it("is there completely if its owner crashes after it is made", async () => {
    const server = await serverOf();
    const task = await storeOf(server, { failPoint: dyingAt("made") }).acquire(TASK);
    await expect(task.commit(largeCommit(1))).rejects.toBeInstanceOf(Died);
    expect(await clientOf(server).exists(RESULTS)).toBe(0);
    // A look applies nothing, and says that groups are of an older commit.
    expect(await storeOf(server).look(TASK, () => true)).toMatchObject({ commitNumber: 1, unfinished: true });
    const state = await takeOver(storeOf(server));
    expect(await storeOf(server).look(TASK)).not.toHaveProperty("unfinished");
    expect(state?.commitNumber).toBe(1);
    expect(Object.keys(state?.groups["w/1"] ?? {})).toHaveLength(3_000);
    expect(await rowsIn(clientOf(server), RESULTS)).toEqual(
      Array.from({ length: 3_000 }, (_, i) => ({ number: 1, i })),
    );
  });

  it("is applied before the next commit even if the next owner does not load", async () => {
    const server = await serverOf();
    const dying = await storeOf(server, { failPoint: dyingAt("made") }).acquire(TASK);
    await expect(dying.commit(largeCommit(1))).rejects.toBeInstanceOf(Died);
    const owner = await storeOf(server).acquire(TASK);
    const second = commitOf(2, { changes: [{ group: "w/1", drop: true }], outputs: [rowsOut("last")] });
    expect(await owner.commit(second)).toMatchObject({ kind: "applied" });
    expect((await takeOver(storeOf(server)))?.groups).toEqual({});
    expect((await rowsIn(clientOf(server), RESULTS)).at(-1)).toBe("last");
  });

  it("replaces what an earlier attempt left staged", async () => {
    const server = await serverOf();
    const task = await storeOf(server, { failPoint: dyingAt("staged") }).acquire(TASK);
    await expect(task.commit(largeCommit(1, 3_000))).rejects.toBeInstanceOf(Died);
    expect(await task.commit(largeCommit(1, 2_500))).toMatchObject({ kind: "applied" });
    expect(await rowsIn(clientOf(server), RESULTS)).toHaveLength(2_500);
  });

  it("is applied once, whichever of its answers is lost", async () => {
    const server = await serverOf();
    const proxy = await cuttingProxy(server);
    const client = clientOf(server);
    const task = await storeOf(proxy).acquire(TASK);
    await task.commit(largeCommit(1, 400));
    const before = proxy.calls;
    await task.commit(largeCommit(2, 400));
    const calls = proxy.calls - before;
    expect(calls).toBeGreaterThan(4);
    for (let lost = 1; lost <= calls; lost += 1) {
      proxy.cutAnswer(lost);
      const { kind } = await task.commit(largeCommit(2 + lost, 400));
      expect(["applied", "already-applied"]).toContain(kind);
    }
    const expected = Array.from({ length: calls + 2 }, (_, n) =>
      Array.from({ length: 400 }, (_, i) => ({ number: n + 1, i })),
    );
    expect(await rowsIn(client, RESULTS)).toEqual(expected.flat());
  }, 30_000);

  it.each([
    ["lost it", (client: Redis) => client.unlink(`${BASE}:staged`)],
    ["has another in its place", (client: Redis) => client.hset(`${BASE}:meta`, "staging", "another")],
  ])("is staged again by a server that %s", async (_, spoil) => {
    const server = await serverOf();
    const client = clientOf(server);
    let calls = 0;
    const failPoint = async (name: FailPoint): Promise<void> => {
      if (name === "staged" && (calls += 1) === 1) await spoil(client);
    };
    const task = await storeOf(server, { failPoint }).acquire(TASK);
    expect(await task.commit(largeCommit(1))).toMatchObject({ kind: "applied" });
    expect(calls).toBe(2);
    expect(await rowsIn(client, RESULTS)).toHaveLength(3_000);
  });

  it("is refused beyond its limit, before anything is sent", async () => {
    const server = await serverOf();
    const task = await storeOf(server, { maxCommitBytes: 20_000, maxValueBytes: 1_000 }).acquire(TASK);
    const refused = async (commit: Parameters<typeof task.commit>[0]): Promise<unknown> =>
      task.commit(commit).then(
        () => "taken",
        (error: unknown) => error,
      );
    const large = await refused(largeCommit(1));
    expect(large).toBeInstanceOf(CommitTooLargeError);
    expect(large).toMatchObject({ message: expect.stringContaining("pageSize") });
    const wide = await refused(commitOf(1, { changes: [put("w/1", { a: "x".repeat(30_000) })] }));
    expect(wide).toBeInstanceOf(CommitTooLargeError);
    expect(wide).toMatchObject({
      message: expect.stringMatching(/value of 30002 bytes for key "a" of .*:group:w\/1\..*maxCommitBytes/),
    });
    expect(await task.commit(commitOf(1))).toMatchObject({ kind: "applied" });
  });

  it("writes one large value of state, and warns once: a refusal would come again with every run", async () => {
    const server = await serverOf();
    const logger = warnings();
    const store = storeOf(server, { maxValueBytes: 1_000, logger });
    const task = await store.acquire(TASK);
    const value = "x".repeat(1_000);
    for (const number of [1, 2])
      expect(
        await task.commit(commitOf(number, { changes: [put("w/1", { small: 1, large: value })] })),
      ).toMatchObject({ kind: "applied" });
    expect((await takeOver(store))?.groups).toEqual({ "w/1": { small: 1, large: value } });
    expect(logger.events).toEqual(["value-too-large"]);
    expect(logger.messages[0]).toContain('key "large"');
  });
});
