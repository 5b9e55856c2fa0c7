import { expect, test } from "@jest/globals";
import { Dataflow, MemoryStore } from "@millrace/dataflow";
import type { Logger } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { count, distinct, systemTime, tumbling } from "@millrace/windowing";
import { report } from "../src/running/report.ts";

test("of a worker that was replaced has the counts that it committed, and the events that are read again", async () => {
  const store = new MemoryStore();
  const source = new TestingSource<string>();
  const flow = (): Dataflow => {
    const built = new Dataflow("replaced");
    built.input("in", source).output("out", new TestingSink());
    return built;
  };
  const worker = await FlowDriver.start(flow(), { store });
  source.push(["a", "b", "c"]);
  await worker.advanceBy(1_000);
  source.push(["d", "e"]);
  await worker.settle();
  await store.acquire({ flow: "replaced", part: "testing" });
  await worker.advanceBy(1_000);
  await expect(worker.done).rejects.toMatchObject({ code: "MILLRACE_FENCED" });
  const lines: { readonly fields: object; readonly text: string }[] = [];
  const log = (fields: object, text = ""): void => {
    lines.push({ fields, text });
  };
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  report(logger, worker.stats(), true);
  expect(lines).toMatchObject([
    {
      fields: { event: "report", received: 3, uncommitted: 2, unaccounted: 0, failed: true },
      text:
        "failed after it had received 3 events: 3 passed on, 2 not committed, which the next worker reads again; " +
        "rows out: out 3",
    },
  ]);
});

test("names the steps with overflow, and how much", async () => {
  const source = new TestingSource<string>({ parts: ["a", "b"] });
  const flow = new Dataflow("full");
  flow
    .input("in", source)
    .keyBy("key", (text) => text.charAt(0), { perPartition: true })
    .window("w", tumbling(1_000), systemTime())
    .aggregate("all", { events: count(), texts: distinct((text) => text, { max: 1 }) })
    .output("out", new TestingSink());
  const lines: object[] = [];
  const keep = (fields: object): void => void lines.push(fields);
  const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep };
  // A key with a set counts twice, so that each partition has room for one.
  const worker = await FlowDriver.start(flow, { maxKeys: 4, logger });
  for (const part of ["a", "b"]) source.push(["k1", "k2", "l1", "m1"], { part });
  await worker.settle();
  await worker.stop();
  report(logger, worker.stats());
  expect(lines).toContainEqual({ event: "overflow", step: "w.all", events: 4, values: 4 });
  expect(lines).toContainEqual({ event: "keys-overflow", step: "w.all", part: "a", events: 2 });
});
