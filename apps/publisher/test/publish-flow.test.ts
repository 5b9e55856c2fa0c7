import { expect, test } from "@jest/globals";
import type { RawLine } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { publishFlow } from "../src/publish-flow.ts";

test("lines go out as they are, and progress is their count in each stretch of time", async () => {
  const source = new TestingSource<RawLine>();
  const sink = new TestingSink<RawLine>();
  const told: number[] = [];
  const onProgress = (lines: number): void => {
    told.push(lines);
  };
  const driver = await FlowDriver.start(publishFlow({ source, sink, progressEveryMs: 200, onProgress }));
  source.push(["a", " b\r", new Uint8Array([0xff])]);
  await driver.advanceTo(200);
  source.push(["c"]);
  await driver.advanceTo(400);
  source.push(["d", "e"]);
  await driver.settle();
  expect(told).toEqual([3, 1]);
  await driver.stop();
  expect(told).toEqual([3, 1, 2]);
  expect(sink.rows).toEqual(["a", " b\r", new Uint8Array([0xff]), "c", "d", "e"]);
});
