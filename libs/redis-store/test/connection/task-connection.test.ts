import { expect, it } from "@jest/globals";
import { SYSTEM_TIME } from "@millrace/dataflow";
import type { TimeProvider } from "@millrace/dataflow";
import { TASK, largeCommit, plain } from "../support/commits.ts";
import { cuttingProxy } from "../support/cutting-proxy.ts";
import { clientOf, serverOf, storeOf } from "../support/servers.ts";

/** Time that goes on as always, and can be set ahead. */
class HurriedTime implements TimeProvider {
  #ahead = 0;

  now(): number {
    return SYSTEM_TIME.now() + this.#ahead;
  }

  monotonic(): number {
    return SYSTEM_TIME.monotonic() + this.#ahead;
  }

  wakeAt(at: number, callback: () => void): () => void {
    return SYSTEM_TIME.wakeAt(at - this.#ahead, callback);
  }

  wakeAfter(delayMs: number, callback: () => void): () => void {
    return SYSTEM_TIME.wakeAfter(delayMs, callback);
  }

  onStep(): () => void {
    return () => undefined;
  }

  yield(): Promise<void> {
    return SYSTEM_TIME.yield();
  }

  skip(ms: number): void {
    this.#ahead += ms;
  }
}

it("gives up when nothing was answered for the retry time, however long a load takes that is answered", async () => {
  const server = await serverOf();
  const proxy = await cuttingProxy(server);
  const time = new HurriedTime();
  const retryMs = 60_000;
  const task = await storeOf(proxy, { pageFields: 100, retryMs, time }).acquire(TASK);
  await task.commit(largeCommit(1));
  const client = clientOf(server);
  let pages = 0;
  const onPage = async (): Promise<void> => {
    pages += 1;
    if (pages < 3) {
      time.skip(retryMs * 0.7);
      proxy.before("hscan", onPage);
    } else await client.client("KILL", "TYPE", "normal", "SKIPME", "yes");
  };
  proxy.before("hscan", onPage);
  expect(Object.keys(plain(await task.load())?.groups["w/1"] ?? {})).toHaveLength(3_000);
  expect(pages).toBe(3);
});
