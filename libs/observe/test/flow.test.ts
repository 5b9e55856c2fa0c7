import { expect, test } from "@jest/globals";
import { Dataflow, MemoryStore } from "@millrace/dataflow";
import type { Sink } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource, VirtualTime } from "@millrace/dataflow/testing";
import { systemTime, tumbling } from "@millrace/windowing";
import { FlowMonitor } from "../src/index.ts";

test("a monitor shows a flow while it runs: the open window, then its rows and their commit", async () => {
  const source = new TestingSource<string>({ parts: ["p", "q"] });
  const flow = new Dataflow("counting");
  flow
    .input("in", source)
    .keyBy("by", (key) => key, { perPartition: true })
    .window("w", tumbling(1_000), systemTime())
    .count("n")
    .output("out", new TestingSink());
  // Of its own, so that no look at the windows is expensive.
  const monitor = new FlowMonitor({ time: new VirtualTime(500) });
  expect(monitor.readiness().status).toBe("not-ready");
  const driver = await FlowDriver.start(flow, {
    store: new MemoryStore(),
    observers: [monitor],
    startAt: 500,
  });
  expect(monitor.readiness()).toMatchObject({ status: "ready", tasks: [{ part: "p" }, { part: "q" }] });
  expect(monitor.flow()).toMatchObject({
    flow: "counting",
    steps: [{ id: "in" }, { id: "by" }, { id: "w.n" }, { id: "out" }],
  });
  source.push(["a", "a", "b"], { part: "p" });
  source.push(["a"], { part: "q" });
  await driver.settle();
  expect(monitor.windows().windows).toMatchObject([
    { step: "w.n", open: 0, close: 1_000, status: "filling", openIn: ["p", "q"], keys: 3, top: [] },
  ]);
  await driver.advanceBy(600);
  const [window] = monitor.windows().windows;
  expect(window).toMatchObject({ status: "final", cause: "watermark", openIn: [], totals: { value: 4 } });
  expect(window?.top.map(({ key, part, value }) => [key, part, value])).toEqual([
    ["a", "p", 2],
    ["a", "q", 1],
    ["b", "p", 1],
  ]);
  await driver.stop();
  const { tasks, account } = monitor.tasks();
  expect(account).toMatchObject({ received: 4, counted: 4, unaccounted: 0, rowsOut: { out: 3 } });
  expect(tasks).toMatchObject([{ part: "p", phase: "ended", hold: "nothing" }, { part: "q" }]);
  expect(tasks[0]?.lastCommit).toMatchObject({ durationMs: expect.any(Number) });
  expect(monitor.sample().sample).toMatchObject({ rowsOut: 3, counted: 4 });
});

test("a monitor counts rows that leave with commits", async () => {
  const source = new TestingSource<string>();
  const store = new MemoryStore();
  const flow = new Dataflow("kept");
  flow.input("in", source).output("out", sinkOf(store));
  const monitor = new FlowMonitor();
  const driver = await FlowDriver.start(flow, { store, observers: [monitor], commitEveryMs: 1_000 });
  source.push(["a", "b", "c"]);
  await driver.settle();
  expect(monitor.sample().sample).toMatchObject({ rowsOut: 0 });
  await driver.advanceBy(1_000);
  expect(monitor.sample().sample).toMatchObject({ rowsOut: 3 });
  await driver.stop();
});

/** Its rows leave with the commits of a store. */
function sinkOf(store: MemoryStore): Sink<string> {
  return {
    store,
    buildPart() {
      let rows: readonly string[] = [];
      const none = (): Promise<void> => Promise.resolve();
      return Promise.resolve({
        writeBatch(batch: readonly string[]) {
          rows = [...rows, ...batch];
          return none();
        },
        takeOutputs() {
          const taken = rows;
          rows = [];
          return [{ step: "out", target: null, rows: taken }];
        },
        flush: none,
        close: none,
      });
    },
  };
}
