import { expect, test } from "@jest/globals";
import { Dataflow, IterableSource, MemoryStore, reconcile, run } from "@millrace/dataflow";
import { TestingSink } from "@millrace/dataflow/testing";

test("steps may have the names of what every object has", async () => {
  const store = new MemoryStore();
  const sinks = [new TestingSink<number>(), new TestingSink<number>()] as const;
  const flow = new Dataflow("names");
  const numbers = flow.input("valueOf", new IterableSource([1, 2])).map("toString", (n) => n * 2);
  numbers.output("constructor", sinks[0]);
  numbers.output("hasOwnProperty", sinks[1]);
  await run(flow, { store });
  const stats = await run(flow, { store });
  expect(reconcile(stats).rowsOut).toEqual({ constructor: 0, hasOwnProperty: 0 });
  expect(sinks.map(({ rows }) => rows)).toEqual([
    [2, 4],
    [2, 4],
  ]);
});
