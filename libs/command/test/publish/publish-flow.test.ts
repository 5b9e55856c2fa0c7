import { expect, test } from "@jest/globals";
import type { RawLine, Sink } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { publishFlow } from "../../src/publish/publish-flow.ts";

test("at the drain deadline its error does not mention windows", async () => {
  const source = new TestingSource<RawLine>();
  const never = new Promise<never>(() => undefined);
  const sink: Sink<RawLine> = {
    buildPart: () => Promise.resolve({ writeBatch: () => never, flush: () => never, close: () => never }),
  };
  const flow = publishFlow({ source, sink, progressEveryMs: 200, onProgress: () => undefined });
  const driver = await FlowDriver.start(flow, { drainTimeoutMs: 500 });
  source.push(["a", "b"]);
  const stopped = driver.stop();
  const failure = expect(stopped).rejects.toMatchObject({
    code: "MILLRACE_DRAIN_TIMEOUT",
    message: expect.not.stringContaining("window"),
  });
  await driver.time.yield();
  driver.time.set(500);
  await failure;
});

test("lines are copied unchanged, and progress is their count in each interval", async () => {
  const source = new TestingSource<RawLine>();
  const sink = new TestingSink<RawLine>();
  const reported: number[] = [];
  const onProgress = (lines: number): void => {
    reported.push(lines);
  };
  const driver = await FlowDriver.start(publishFlow({ source, sink, progressEveryMs: 200, onProgress }));
  source.push(["a", " b\r", new Uint8Array([0xff])]);
  await driver.advanceTo(200);
  source.push(["c"]);
  await driver.advanceTo(400);
  source.push(["d", "e"]);
  await driver.settle();
  expect(reported).toEqual([3, 1]);
  await driver.stop();
  expect(reported).toEqual([3, 1, 2]);
  expect(sink.rows).toEqual(["a", " b\r", new Uint8Array([0xff]), "c", "d", "e"]);
});
