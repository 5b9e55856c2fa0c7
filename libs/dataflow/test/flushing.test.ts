import { PassThrough, Writable } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import { Dataflow, IterableSource, MemoryStore, WritableSink, reconcile, start } from "@millrace/dataflow";
import type { DeadLetter, Sink, SinkPartition, Source } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource, VirtualTime } from "@millrace/dataflow/testing";
import { notingStore } from "./support/noting-store.ts";

/** What happened, in order, at a sink whose flushes a test lets pass. */
function watchedSink(): {
  readonly sink: Sink<number>;
  readonly happened: string[];
  readonly waiting: (() => void)[];
} {
  const happened: string[] = [];
  const waiting: (() => void)[] = [];
  const part: SinkPartition<number> = {
    writeBatch(rows) {
      happened.push(`write ${rows.join()}`);
      return Promise.resolve();
    },
    async flush() {
      happened.push("flush");
      await new Promise<void>((resolve) => waiting.push(resolve));
      happened.push("flushed");
    },
    close() {
      happened.push("close");
      return Promise.resolve();
    },
  };
  return { sink: { buildPart: () => Promise.resolve(part) }, happened, waiting };
}

function passing<T>(source: Source<T>, sink: Sink<T>): Dataflow {
  const flow = new Dataflow("passing");
  flow.input("in", source).output("out", sink);
  return flow;
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe("a commit", () => {
  test("waits until the rows before it are written, and fails if they cannot be", async () => {
    const { sink, happened, waiting } = watchedSink();
    const source = new TestingSource<number>();
    const store = notingStore(({ number }) => happened.push(`commit ${number}`));
    const handle = start(passing(source, sink), { store, commitEveryEvents: 1, time: new VirtualTime() });
    await turns();
    expect(happened).toEqual(["flush"]);
    waiting.shift()?.();
    source.push([1]);
    await turns();
    expect(happened).toEqual(["flush", "flushed", "commit 1", "write 1", "flush"]);
    waiting.shift()?.();
    await turns();
    expect(happened.slice(5)).toEqual(["flushed", "commit 2"]);
    const stopped = handle.stop();
    await turns();
    while (waiting.length > 0) {
      waiting.shift()?.();
      await turns();
    }
    await stopped;
    expect(happened.slice(-4)).toEqual(["flush", "flushed", "commit 3", "close"]);
  });

  test("ends the run with the sink's error if its rows are never written", async () => {
    const commits: string[] = [];
    let broken = false;
    const sink: Sink<number> = {
      buildPart: () =>
        Promise.resolve({
          writeBatch: () => Promise.resolve(),
          flush: () => (broken ? Promise.reject(new Error("gone")) : Promise.resolve()),
          close: () => Promise.resolve(),
        }),
    };
    const source = new TestingSource<number>();
    const options = {
      store: notingStore(({ number }) => commits.push(`commit ${number}`)),
      commitEveryEvents: 1,
    };
    const driver = await FlowDriver.start(passing(source, sink), options);
    broken = true;
    source.push([1]);
    await expect(driver.done).rejects.toMatchObject({
      code: "MILLRACE_SINK_FAILED",
      message: 'step "out", partition "testing": gone',
    });
    expect(commits).toEqual(["commit 1"]);
  });
});

describe("the end of a run without a store", () => {
  test("waits until all rows are written before it closes anything", async () => {
    const { sink, happened, waiting } = watchedSink();
    const handle = start(passing(new IterableSource([1, 2]), sink));
    await turns();
    expect(happened).toEqual(["write 1,2", "flush"]);
    waiting.shift()?.();
    await handle.done;
    expect(happened.slice(2)).toEqual(["flushed", "close"]);
  });

  test.each(["the end of the input", "a stop", "a flow's dead letter"])(
    "fails if rows cannot be written: at %s",
    async (when) => {
      const broken = <T>(): Sink<T> => ({
        buildPart: () =>
          Promise.resolve({
            writeBatch: () => Promise.resolve(),
            flush: () => Promise.reject(new Error("gone")),
            close: () => Promise.resolve(),
          }),
      });
      const source = new TestingSource<number>();
      source.push([1]);
      const dead = when === "a flow's dead letter";
      const flow = new Dataflow("f", dead ? { deadLetter: broken<DeadLetter>() } : {});
      flow.input("in", source).output("out", dead ? new TestingSink() : broken());
      const driver = await FlowDriver.start(flow);
      if (when === "a stop") void driver.stop().catch(() => undefined);
      else source.end();
      await expect(driver.done).rejects.toMatchObject({ code: "MILLRACE_SINK_FAILED" });
    },
  );
});

describe("a stream as a sink", () => {
  test("is flushed when the stream has called back for the last row, not when it has accepted it", async () => {
    const waiting: (() => void)[] = [];
    const slow = new Writable({
      write(_chunk, _encoding, callback) {
        waiting.push(callback);
      },
    });
    const handle = start(
      passing(new IterableSource(["a", "b"], { batchSize: 1 }), new WritableSink<string>(slow)),
    );
    let over = false;
    void handle.done.then(() => (over = true));
    await turns();
    expect(handle.stats().tasks[0]?.source.read).toBe(2);
    while (waiting.length > 0) {
      expect(over).toBe(false);
      waiting.shift()?.();
      await turns();
    }
    expect(over).toBe(true);
    expect(reconcile(await handle.done).rowsOut).toEqual({ out: 2 });
  });

  test("makes the source wait while it is full", async () => {
    const waiting: (() => void)[] = [];
    const full = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, callback) {
        waiting.push(callback);
      },
    });
    const source = new TestingSource<string>();
    for (const row of ["a", "b", "c"]) source.push([row]);
    source.end();
    const handle = start(passing(source, new WritableSink<string>(full)));
    for (let read = 1; read <= 3; read += 1) {
      await turns();
      expect(handle.stats().tasks[0]?.batches).toBe(read - 1);
      waiting.shift()?.();
    }
    await handle.done;
  });

  test("shared by many partitions has few listeners, and none at the end", async () => {
    const pipe = new PassThrough();
    pipe.resume();
    const before = pipe.eventNames().map((name) => [name, pipe.listenerCount(name)]);
    const parts = Array.from({ length: 30 }, (_, n) => String(n));
    const source = new TestingSource<string>({ parts });
    const driver = await FlowDriver.start(passing(source, new WritableSink<string>(pipe)));
    for (const part of parts) source.push(["row"], { part });
    await driver.settle();
    expect(Math.max(...pipe.eventNames().map((name) => pipe.listenerCount(name)))).toBeLessThan(5);
    expect(reconcile(await driver.stop()).rowsOut).toEqual({ out: 30 });
    expect(pipe.eventNames().map((name) => [name, pipe.listenerCount(name)])).toEqual(before);
  });
});

test("the report has the number of rows that each output wrote", async () => {
  const flow = new Dataflow("outputs");
  const numbers = flow.input("in", new IterableSource([1, 2, 3]));
  numbers.output("all", new TestingSink());
  numbers.filter("odd", (n) => n % 2 === 1).output("odd_ones", new TestingSink());
  const withStore = start(flow, { store: new MemoryStore() });
  expect(reconcile(await withStore.done).rowsOut).toEqual({ all: 3, odd_ones: 2 });
});
