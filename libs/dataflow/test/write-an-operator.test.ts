import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { Dataflow, MemoryStore } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { everyNth } from "./examples/every-nth.ts";

test("the guide's operator is the one that is tested here", async () => {
  const guide = await readFile(join(import.meta.dirname, "../../../docs/write-an-operator.md"), "utf8");
  const [, code] = /^```ts\n(.*?)^```/ms.exec(guide) ?? [];
  expect(code).toBe(await readFile(join(import.meta.dirname, "examples/every-nth.ts"), "utf8"));
});

test("the guide's operator counts across batches and restarts", async () => {
  const store = new MemoryStore();
  const source = new TestingSource<number>();
  const out = new TestingSink<number>();
  for (const batches of [
    [
      [1, 2],
      [3, 4],
    ],
    [[5], [6, 7, 8, 9]],
  ]) {
    const flow = new Dataflow("sampling");
    flow.input("in", source).custom("sample", everyNth(3)).output("out", out);
    const driver = await FlowDriver.start(flow, { store });
    for (const batch of batches) source.push(batch);
    await driver.settle();
    await driver.stop();
  }
  expect(out.rows).toEqual([3, 6, 9]);
});
