import assert from "node:assert/strict";
import { test } from "node:test";
import { SILENT_LOGGER, reconcile } from "millrace";
import type { RawLine } from "millrace";
import { FlowDriver, TestingSink, TestingSource } from "millrace/testing";
import orders from "./flow.ts";

test("a minute's row has its orders and their revenue", async () => {
  const source = new TestingSource<RawLine>();
  const out = new TestingSink();
  const nine = Date.parse("2026-01-01T09:00:00Z");
  const driver = await FlowDriver.start(orders({ source, out }), { startAt: nine });

  source.push([
    '{"item":"tea","cents":400,"at":"2026-01-01T09:00:00Z"}',
    '{"item":"tea","cents":500,"at":"2026-01-01T09:00:00Z"}',
  ]);
  await driver.advanceBy(64_999);
  assert.deepEqual(out.take(), []);

  await driver.advanceBy(1);
  assert.deepEqual(out.take(), [{ minute: "2026-01-01T09:00:00.000Z", item: "tea", orders: 2, cents: 900 }]);
  await driver.stop();
});

test("a line that is no order is counted, and is in no row", async () => {
  const source = new TestingSource<RawLine>();
  const out = new TestingSink();
  const driver = await FlowDriver.start(orders({ source, out }), { logger: SILENT_LOGGER });
  source.push(['{"item":"tea","cents":"four","at":"2026-01-01T09:00:00Z"}']);
  await driver.settle();
  const { malformed } = reconcile(await driver.stop());
  assert.equal(malformed, 1);
  assert.deepEqual(out.take(), []);
});
