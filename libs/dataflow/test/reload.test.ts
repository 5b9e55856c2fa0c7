import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore, reconcile, start } from "@millrace/dataflow";
import type { Operator, Reconciliation, Source, Store } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource, VirtualTime } from "@millrace/dataflow/testing";
import { systemTime, tumbling } from "@millrace/windowing";
import { loggerOf } from "./support/logger-of.ts";
import { RestorableStore } from "./support/restorable-store.ts";
import { withParts } from "./support/with-parts.ts";

const HOUR = tumbling(3_600_000);

function counting(source: Source<string>, out = new TestingSink<string>()): Dataflow {
  const flow = new Dataflow("counts");
  flow
    .input("in", source)
    .decode("decode", { decode: (event: string) => ({ kind: "event", event }) })
    .keyBy("all", () => "all")
    .window("w", HOUR, systemTime())
    .count("n")
    .map("row", ({ value }) => String(value))
    .output("out", out);
  return flow;
}

/** A store that is found rolled back at every commit, or at every second one. */
function forgetful(every: 1 | 2): Store & { acquired: () => number } {
  const inner = new MemoryStore();
  let acquired = 0;
  let commits = 0;
  return {
    acquired: () => acquired,
    look: (...of) => inner.look(...of),
    close: () => inner.close(),
    async acquire(task) {
      acquired += 1;
      const owned = await inner.acquire(task);
      return {
        fence: owned.fence,
        load: () => owned.load(),
        close: () => owned.close(),
        commit(commit) {
          commits += 1;
          if (commits % every === 0)
            return Promise.resolve({ kind: "rolled-back", stored: commit.number - 1 });
          return owned.commit(commit);
        },
      };
    },
  };
}

describe("a task whose store was rolled back", () => {
  test("resumes there, and counts no event twice, also after two rollbacks or if the store was emptied", async () => {
    const store = new RestorableStore({ flow: "counts", part: "testing" });
    const source = new TestingSource<string>();
    const options = { store, commitEveryEvents: 1, commitEveryMs: 1e9 };
    const driver = await FlowDriver.start(counting(source), options);
    const push = async (event: string): Promise<void> => {
      source.push([event]);
      // Long enough for any pause before a reload.
      await driver.advanceBy(60_000);
    };
    const figures = (): Reconciliation => reconcile(driver.stats());
    // Commit 1 is made before the first event, 2 to 4 have one event each.
    for (const event of ["a", "b", "c"]) await push(event);
    await store.restore(3);
    await push("d");
    expect(figures()).toMatchObject({ received: 4, decoded: 4, counted: 4, discarded: 2, unaccounted: 0 });
    await store.restore(2);
    await push("e");
    // Of the five it had, b to e are read again: d was already discarded once.
    expect(figures()).toMatchObject({ received: 5, decoded: 5, counted: 5, discarded: 6, unaccounted: 0 });
    await store.restore(0);
    await push("f");
    expect(figures()).toMatchObject({ received: 6, decoded: 6, counted: 6, discarded: 12, unaccounted: 0 });
    const stats = await driver.stop();
    expect(stats.tasks).toMatchObject([{ part: "testing", phase: "ended", reloads: 3, source: { read: 6 } }]);
    expect(reconcile(stats)).toMatchObject({ received: 6, counted: 6, windowed: 6, unaccounted: 0 });
  });

  test("has the rows of its last commits in the store", async () => {
    const store = new RestorableStore({ flow: "counts", part: "testing" });
    const source = new TestingSource<string>();
    const out = new TestingSink<string>();
    const driver = await FlowDriver.start(counting(source, out), { store, commitEveryEvents: 1 });
    for (const event of ["a", "b"]) {
      source.push([event]);
      await driver.settle();
    }
    await store.restore(1);
    source.push(["c"]);
    source.end();
    await driver.done;
    expect(out.rows).toEqual(["3"]);
    expect(reconcile(driver.stats())).toMatchObject({ counted: 3, rowsOut: { out: 1 } });
  });

  test("counts once also what its source measured", async () => {
    const store = new RestorableStore({ flow: "counts", part: "testing" });
    const inner = new TestingSource<string>();
    const source = withParts(inner, (opened, resume) => ({
      // One duplicate before each event.
      stats: () => {
        const read = Number(opened.snapshot()) - Number(resume ?? 0);
        return { read, duplicates: read, lost: 0, queued: 3 };
      },
    }));
    const driver = await FlowDriver.start(counting(source), { store, commitEveryEvents: 1 });
    for (const event of ["a", "b", "c"]) {
      inner.push([event]);
      await driver.settle();
    }
    await store.restore(2);
    inner.push(["d"]);
    await driver.settle();
    const { tasks } = await driver.stop();
    expect(tasks).toMatchObject([{ source: { read: 4, duplicates: 4, lost: 0, queued: 3 } }]);
  });
});

describe("reloading", () => {
  test("happens at once the first time, then after growing pauses", async () => {
    const { logger, logged } = loggerOf();
    const store = forgetful(1);
    const driver = await FlowDriver.start(counting(new TestingSource()), { store, logger });
    expect(store.acquired()).toBe(2);
    await driver.advanceBy(99);
    expect(store.acquired()).toBe(2);
    await driver.advanceBy(1);
    expect(store.acquired()).toBe(3);
    await driver.advanceBy(60_000);
    expect(store.acquired()).toBeLessThan(14);
    expect(
      logged("warn")
        .map((line) => (line as { pauseMs: number }).pauseMs)
        .slice(0, 9),
    ).toEqual([0, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 10_000]);
    expect(driver.stats().tasks).toMatchObject([{ phase: "reloading" }]);
    await driver.stop();
  });

  test("pauses also if the task makes a commit each time", async () => {
    const store = forgetful(2);
    const source = new TestingSource<string>();
    const driver = await FlowDriver.start(counting(source), { store, commitEveryEvents: 1 });
    for (let n = 0; n < 100; n += 1) source.push(["a"]);
    await driver.advanceBy(10_000);
    expect(store.acquired()).toBeLessThan(10);
    await driver.stop();
  });

  test("is given up when the run is stopped", async () => {
    const time = new VirtualTime();
    const handle = start(counting(new TestingSource()), { store: forgetful(1), time });
    while (handle.stats().tasks[0]?.phase !== "reloading") await time.yield();
    await handle.stop();
  });

  test("leaves nothing of the task behind", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const operators: WeakRef<Operator<string, string>>[] = [];
    const store = new RestorableStore({ flow: "counts", part: "testing" });
    const source = new TestingSource<string>();
    const flow = new Dataflow("counts");
    flow
      .input("in", source)
      .custom("step", () => {
        const operator: Operator<string, string> = {
          process(batch, _now, out) {
            out.emit(batch);
          },
        };
        operators.push(new WeakRef(operator));
        return operator;
      })
      .output("out", new TestingSink());
    const driver = await FlowDriver.start(flow, { store, commitEveryEvents: 1 });
    source.push(["a"]);
    await driver.settle();
    await store.restore(1);
    source.push(["b"]);
    await driver.settle();
    expect(operators).toHaveLength(2);
    await new Promise(setImmediate);
    collectGarbage();
    expect(operators.map((operator) => operator.deref() === undefined)).toEqual([true, false]);
    await driver.stop();
  });
});
