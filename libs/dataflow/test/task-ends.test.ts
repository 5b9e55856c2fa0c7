import { PassThrough } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import { Dataflow, IterableSource, MemoryStore, start, WritableSink } from "@millrace/dataflow";
import type { Sink } from "@millrace/dataflow";
import {
  CrashingStore,
  FlowDriver,
  TestingSink,
  TestingSource,
  VirtualTime,
} from "@millrace/dataflow/testing";
import { withParts } from "./support/with-parts.ts";
import { passing, sinkOf } from "./support/passing.ts";

describe("what a task opens and reports to its source", () => {
  test("a partition that opens after the task was given up is closed", async () => {
    const time = new VirtualTime();
    const source = new TestingSource<number>();
    let finish: () => void = () => undefined;
    let closed = 0;
    const slow: Sink<number> = {
      async buildPart() {
        await new Promise<void>((resolve) => (finish = resolve));
        return {
          writeBatch: () => Promise.resolve(),
          flush: () => Promise.resolve(),
          close: () => {
            closed += 1;
            return Promise.resolve();
          },
        };
      },
    };
    const handle = start(passing(source, slow), { time, drainTimeoutMs: 500 });
    await time.yield();
    const stopped = handle.stop();
    time.set(500);
    await expect(stopped).rejects.toMatchObject({ code: "MILLRACE_DRAIN_TIMEOUT" });
    expect(closed).toBe(0);
    finish();
    await time.yield();
    expect(closed).toBe(1);
  });

  test("a source receives each committed position, and no other", async () => {
    const inner = new TestingSource<number>();
    const committed: unknown[] = [];
    const source = withParts(inner, () => ({
      committed(position) {
        committed.push(position);
        return Promise.resolve();
      },
    }));
    const store = new CrashingStore(new MemoryStore(), ({ number }) => (number === 4 ? "before" : undefined));
    const options = { store, commitEveryEvents: 2, commitEveryMs: 60_000 };
    const driver = await FlowDriver.start(passing(source, new TestingSink<number>()), options);
    inner.push([1]);
    await driver.settle();
    expect(committed).toEqual([0]);
    inner.push([2]);
    await driver.settle();
    inner.push([3, 4]);
    await driver.settle();
    expect(committed).toEqual([0, 2, 3]);
    inner.push([5, 6]);
    await expect(driver.done).rejects.toThrow("before commit 4");
    expect(committed).toEqual([0, 2, 3]);
  });

  test("a task that does not close in time at the end of the input is named", async () => {
    const time = new VirtualTime();
    const sink = sinkOf<number>({ close: () => new Promise<never>(() => undefined) });
    const handle = start(passing(new IterableSource([1]), sink), { time, drainTimeoutMs: 500 });
    while (time.nextAlarm === undefined) await time.yield();
    time.set(500);
    await expect(handle.done).rejects.toMatchObject({ code: "MILLRACE_DRAIN_TIMEOUT" });
  });
});

test("thirty partitions on one stream, by two sinks, have one listener of each kind on it", async () => {
  const pipe = new PassThrough();
  const source = new TestingSource<number>({ parts: Array.from({ length: 15 }, (_, n) => String(n)) });
  const flow = new Dataflow("many");
  const events = flow.input("in", source);
  events.output("out", new WritableSink<number>(pipe));
  events.output("too", new WritableSink<number>(pipe));
  const before = pipe.listenerCount("error");
  const driver = await FlowDriver.start(flow);
  expect(pipe.listenerCount("error")).toBe(before + 1);
  expect(pipe.listenerCount("drain")).toBe(1);
  await driver.stop();
  expect(pipe.listenerCount("drain")).toBe(0);
});

test("a full sink makes its source wait", async () => {
  const source = new TestingSource<number>();
  const release: (() => void)[] = [];
  const sink = sinkOf<number>({ writeBatch: () => new Promise((resolve) => release.push(resolve)) });
  const handle = start(passing(source, sink));
  for (let n = 0; n < 5; n++) source.push([n]);
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  await turns();
  expect(handle.stats().tasks[0]?.source.read).toBe(1);
  release.shift()?.();
  await turns();
  expect(handle.stats().tasks[0]?.source.read).toBe(2);
  source.end();
  while (handle.stats().tasks[0]?.phase !== "ended") {
    release.shift()?.();
    await turns();
  }
});

test("an error of a sink's work in the background fails the task, although no event comes", async () => {
  let fail: (error: unknown) => void = () => undefined;
  const sink: Sink<number> = {
    buildPart(part, resume, context) {
      fail = (error) => {
        context.fail(error);
      };
      return sinkOf<number>({}).buildPart(part, resume, context);
    },
  };
  const time = new VirtualTime();
  const handle = start(passing(new TestingSource<number>(), sink), { time });
  await time.yield();
  fail(new Error("the other side is gone"));
  await expect(handle.done).rejects.toThrow(/step "out".*the other side is gone/s);
});
