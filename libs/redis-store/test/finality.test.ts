import { describe, expect, it } from "@jest/globals";
import type { Commit } from "@millrace/dataflow";
import { inspectTask } from "@millrace/redis-store";
import type { RedisStore } from "@millrace/redis-store";
import { BASE, TASK, commitOf, put, rowsOut } from "./support/commits.ts";
import { cuttingProxy } from "./support/cutting-proxy.ts";
import type { CuttingProxy } from "./support/cutting-proxy.ts";
import { clientOf, serverOf, storeOf } from "./support/servers.ts";

const PAGES = 3;
const ROWS_A_PAGE = 600;
/** The close of a window whose rows are complete only with the last page. */
const CLOSE = 5_000;

/** A window of many keys closes: a page of rows in each commit, and each commit larger than one call of a script. */
function closing(number: number): Commit {
  const last = number === PAGES;
  const rows = Array.from({ length: ROWS_A_PAGE }, (_, i) => (number - 1) * ROWS_A_PAGE + i);
  return commitOf(number, {
    changes: [put("w/engine", { state: number }), put("w/1", Object.fromEntries(rows.map((i) => [i, i])))],
    outputs: [rowsOut(...rows)],
    partial: !last,
    watermark: last ? CLOSE : CLOSE - 1,
  });
}

/** Continues from the last commit to the end. */
async function work(store: RedisStore): Promise<void> {
  const task = await store.acquire(TASK);
  const done = (await task.load())?.commitNumber ?? 0;
  for (let page = done + 1; page <= PAGES; page += 1) await task.commit(closing(page));
}

/** Calls `action` before each script call from now on. */
function beforeCalls(proxy: CuttingProxy, action: () => Promise<unknown>): void {
  proxy.before("evalsha", () => {
    beforeCalls(proxy, action);
    return action();
  });
}

describe("a reader of the watermark", () => {
  it("finds all rows up to it, between any two steps of commits, and wherever a worker crashes", async () => {
    const server = await serverOf();
    const client = clientOf(server);
    const proxy = await cuttingProxy(server);
    const read = async (): Promise<void> => {
      const watermark = (await inspectTask({ url: server.url }, TASK))?.watermark ?? 0;
      if (watermark < CLOSE) return;
      expect(await client.xlen(`${BASE}:results:out`)).toBe(PAGES * ROWS_A_PAGE);
    };
    await work(storeOf(proxy));
    await client.flushdb();

    let steps = Number.POSITIVE_INFINITY;
    for (let death = 1; death <= steps; death += 1) {
      const dying = storeOf(proxy);
      let step = 0;
      beforeCalls(proxy, async () => {
        step += 1;
        await read();
        if (step !== death) return;
        beforeCalls(proxy, read);
        await dying.close();
      });
      const outcome = await work(dying).then(
        () => "done",
        () => "died",
      );
      if (outcome === "done") steps = step;
      await read();
      await work(storeOf(proxy));
      const { watermark, waiting } = (await inspectTask({ url: server.url }, TASK)) ?? {};
      expect({ watermark, waiting }).toEqual({ watermark: CLOSE, waiting: 0 });
      await read();
      await client.flushdb();
    }
    // For each page: its pieces are staged, made, and applied.
    expect(steps).toBeGreaterThan(PAGES * 6);
  }, 60_000);

  it("sees it at the same time as the rows of a small commit", async () => {
    const server = await serverOf();
    const task = await storeOf(server).acquire(TASK);
    await task.commit(commitOf(1, { outputs: [rowsOut(1)], watermark: CLOSE }));
    expect((await inspectTask({ url: server.url }, TASK))?.watermark).toBe(CLOSE);
  });
});
