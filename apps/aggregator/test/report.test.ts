import { expect, test } from "@jest/globals";
import { Dataflow, MemoryStore } from "@millrace/dataflow";
import type { Logger } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { report } from "../src/report.ts";

test("of a worker that was replaced: its figures are what it committed, and the rest is said to be read again", async () => {
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
        "failed after it had received 3 events: 3 passed on, 2 not committed, which whoever goes on reads again; " +
        "rows out: out 3",
    },
  ]);
});
