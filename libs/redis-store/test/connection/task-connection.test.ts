import { expect, it } from "@jest/globals";
import { TASK, largeCommit, plain } from "../support/commits.ts";
import { cuttingProxy } from "../support/cutting-proxy.ts";
import { HurriedTime } from "../support/hurried-time.ts";
import { clientOf, serverOf, storeOf } from "../support/servers.ts";

it("gives up after storeTimeoutMs without an answer, however long a load with answers takes", async () => {
  const server = await serverOf();
  const proxy = await cuttingProxy(server);
  const time = new HurriedTime();
  const storeTimeoutMs = 60_000;
  const task = await storeOf(proxy, { pageFields: 100, storeTimeoutMs, time }).acquire(TASK);
  await task.commit(largeCommit(1));
  const client = clientOf(server);
  let pages = 0;
  const onPage = async (): Promise<void> => {
    pages += 1;
    if (pages < 3) {
      time.skip(storeTimeoutMs * 0.7);
      proxy.before("hscan", onPage);
    } else await client.client("KILL", "TYPE", "normal", "SKIPME", "yes");
  };
  proxy.before("hscan", onPage);
  expect(Object.keys(plain(await task.load())?.groups["w/1"] ?? {})).toHaveLength(3_000);
  expect(pages).toBe(3);
});
