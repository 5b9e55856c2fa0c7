import { expect, test } from "@jest/globals";
import { Dataflow, MemoryStore } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
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
  const monitor = new FlowMonitor();
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
