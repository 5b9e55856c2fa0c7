import assert from "node:assert/strict";
import { test } from "node:test";
import { FlowDriver, TestingSink, TestingSource } from "millrace/testing";
import { visitsFlow } from "./flow.ts";
import type { Visit, Visits } from "./flow.ts";

test("a minute closes 5 s after its end, without a further event", async () => {
  const source = new TestingSource<Visit>();
  const sink = new TestingSink<Visits>();
  const driver = await FlowDriver.start(visitsFlow(source, sink));

  await driver.advanceTo(3_000);
  source.push([
    { page: "/home", at: 1_000 },
    { page: "/docs", at: 2_000 },
    { page: "/home", at: 3_000 },
  ]);
  await driver.advanceTo(64_999);
  assert.deepEqual(sink.take(), []);

  await driver.advanceTo(65_000);
  assert.deepEqual(sink.take(), [
    { minute: 0, page: "/home", visits: 2 },
    { minute: 0, page: "/docs", visits: 1 },
  ]);
  await driver.stop();
});
