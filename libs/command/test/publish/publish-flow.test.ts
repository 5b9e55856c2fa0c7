import { expect, test } from "@jest/globals";
import type { RawLine, Sink } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { sizeIn } from "../../src/publish/extent.ts";
import { publishFlow } from "../../src/publish/publish-flow.ts";

test("at the drain deadline its error does not mention windows", async () => {
  const source = new TestingSource<RawLine>();
  const never = new Promise<never>(() => undefined);
  const sink: Sink<RawLine> = {
    buildPart: () => Promise.resolve({ writeBatch: () => never, flush: () => never, close: () => never }),
  };
  const flow = publishFlow({
    source,
    sink,
    progressEveryMs: 200,
    sizeOf: () => 1,
    onProgress: () => undefined,
  });
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

test("lines are copied unchanged, and progress is their count and size in each interval", async () => {
  const source = new TestingSource<RawLine>();
  const sink = new TestingSink<RawLine>();
  const reported: (readonly [lines: number, bytes: number])[] = [];
  const flow = publishFlow({
    source,
    sink,
    progressEveryMs: 200,
    sizeOf: sizeIn("bytes"),
    onProgress: ({ lines, size }) => reported.push([lines, size]),
  });
  const driver = await FlowDriver.start(flow);
  source.push(["é", " b\r", new Uint8Array([0xff])]);
  await driver.advanceTo(200);
  source.push(["c"]);
  await driver.advanceTo(400);
  source.push(["d", "e"]);
  await driver.settle();
  expect(reported).toEqual([
    [3, 9],
    [1, 2],
  ]);
  await driver.stop();
  expect(reported[2]).toEqual([2, 4]);
  expect(sink.rows).toEqual(["é", " b\r", new Uint8Array([0xff]), "c", "d", "e"]);
});
