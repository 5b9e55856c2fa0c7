import { describe, expect, test } from "@jest/globals";
import { Dataflow, IterableSource, MemoryStore, run } from "@millrace/dataflow";
import type { DeadLetter, MapAsyncOptions } from "@millrace/dataflow";
import { CrashingStore, FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { collectRows } from "../collect-rows.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("mapAsync", () => {
  test("keeps the order and never has more calls in flight than allowed", async () => {
    let flying = 0;
    let most = 0;
    const { rows } = await collectRows(
      Array.from({ length: 20 }, (_, n) => n),
      (numbers) =>
        numbers.mapAsync(
          "slow",
          async (n) => {
            flying += 1;
            most = Math.max(most, flying);
            for (let turns = 20 - n; turns > 0; turns--) await turn();
            flying -= 1;
            return 10 * n;
          },
          { concurrency: 4 },
        ),
      { batchSize: 10 },
    );
    expect(rows).toEqual(Array.from({ length: 20 }, (_, n) => 10 * n));
    expect(most).toBe(4);
  });

  test("keeps keys with their values", async () => {
    const { rows } = await collectRows(["a1", "b2"], (texts) =>
      texts
        .keyBy("k", (text) => text.slice(0, 1))
        .mapAsync("up", (text, { key }) => Promise.resolve(`${key}:${text.toUpperCase()}`))
        .map("with_key", (text, key) => [key, text])
        .dropKey(),
    );
    expect(rows).toEqual([
      ["a", "a:A1"],
      ["b", "b:B2"],
    ]);
  });

  const flowWith = (options: MapAsyncOptions, fn: (n: number, signal: AbortSignal) => Promise<number>) => {
    const source = new TestingSource<number>();
    const out = new TestingSink<number>();
    const letters = new TestingSink<DeadLetter>();
    const flow = new Dataflow("async", { deadLetter: letters });
    flow
      .input("in", source)
      .mapAsync("call", (n, { signal }) => fn(n, signal), options)
      .output("out", out);
    return { source, out, letters, flow };
  };

  test("retries after growing waits, then gives up on that event only", async () => {
    const calls: number[] = [];
    const { source, out, letters, flow } = flowWith(
      { retries: 2, backoff: 100, onError: "dead-letter" },
      (n) => {
        calls.push(driver.time.now());
        return n === 13 ? Promise.reject(new Error("unlucky")) : Promise.resolve(n);
      },
    );
    const driver = await FlowDriver.start(flow);
    source.push([13]);
    await turn();
    for (const now of [100, 300]) {
      driver.time.set(now);
      await turn();
    }
    await driver.settle();
    expect(calls).toEqual([0, 100, 300]);
    expect(letters.rows).toEqual([
      { step: "call", part: "testing", reason: { code: "step-failed", message: "unlucky" }, payload: "13" },
    ]);
    source.push([1]);
    await driver.settle();
    expect(out.rows).toEqual([1]);
    await driver.stop();
  });

  test("aborts a call after its timeout", async () => {
    let aborted = false;
    const { source, flow } = flowWith({ timeout: 50 }, (_, signal) => {
      signal.addEventListener("abort", () => (aborted = true));
      return new Promise(() => undefined);
    });
    const driver = await FlowDriver.start(flow);
    source.push([1]);
    await turn();
    driver.time.set(50);
    await expect(driver.done).rejects.toThrow(
      'step "call", partition "testing": no answer within 50 ms (event: 1)',
    );
    expect(aborted).toBe(true);
  });

  test("has nothing in flight at a commit", async () => {
    let flying = 0;
    const seen: number[] = [];
    const store = new CrashingStore(new MemoryStore(), () => {
      seen.push(flying);
      return undefined;
    });
    const flow = new Dataflow("async");
    flow
      .input("in", new IterableSource([1, 2, 3, 4, 5], { batchSize: 2 }))
      .mapAsync("call", async (n) => {
        flying += 1;
        await turn();
        flying -= 1;
        return n;
      })
      .output("out", new TestingSink());
    await run(flow, { store, commitEveryEvents: 1 });
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(new Set(seen)).toEqual(new Set([0]));
  });

  test.each([
    [{ concurrency: 0 }, /concurrency is 0/],
    [{ timeout: 0 }, /timeout is 0/],
    [{ retries: -1 }, /retries is -1/],
    [{ backoff: NaN }, /backoff is NaN/],
  ])("refuses %j", async (options, message) => {
    const { source, flow } = flowWith(options, (n) => Promise.resolve(n));
    source.end();
    await expect(run(flow)).rejects.toThrow(message);
  });
});
