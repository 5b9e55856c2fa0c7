import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import {
  JsonlFileSource,
  Dataflow,
  FileStore,
  IterableSource,
  JsonlFileSink,
  MemoryStore,
  ReadableSource,
  WritableSink,
  reconcile,
  run,
  start,
} from "@millrace/dataflow";
import type {
  LineOptions,
  MapAsyncOptions,
  DeadLetter,
  Operator,
  RunOptions,
  Sink,
  SinkPartition,
  Source,
  Store,
} from "@millrace/dataflow";
import {
  CrashingStore,
  FlowDriver,
  TestingSink,
  TestingSource,
  VirtualTime,
} from "@millrace/dataflow/testing";
import { systemTime, tumbling } from "@millrace/windowing";
import { loggerOf } from "./support/logger-of.ts";
import { withParts } from "./support/with-parts.ts";
import { withoutProof } from "./support/without-proof.ts";

/** A flow that passes events on. */
function passing<T>(source: Source<T>, sink: Sink<T>, deadLetter?: Sink<DeadLetter>): Dataflow {
  const flow = new Dataflow("passing", deadLetter === undefined ? {} : { deadLetter });
  flow.input("in", source).output("out", sink);
  return flow;
}

/** A sink whose partition does what a test wants to see handled. */
function sinkOf<T>(part: Partial<SinkPartition<T>>): Sink<T> {
  const none = (): Promise<void> => Promise.resolve();
  return { buildPart: () => Promise.resolve({ writeBatch: none, flush: none, close: none, ...part }) };
}

describe("stopping", () => {
  test("ends a source that never ends and has no stop()", async () => {
    const endless = (function* () {
      for (let n = 0; ; n++) yield n;
    })();
    const out = new TestingSink<number>();
    const handle = start(passing(new IterableSource(endless), out));
    while (out.rows.length < 1_000) await new Promise((resolve) => setImmediate(resolve));
    await handle.stop();
    expect(out.rows).toEqual(out.rows.map((_, n) => n));
  });

  test("makes no event of an incomplete line", async () => {
    const pipe = new PassThrough();
    const out = new TestingSink<string | Uint8Array>();
    const handle = start(passing(new ReadableSource(pipe, "pipe"), out));
    pipe.write('{"a":1}\n{"half":');
    while (out.rows.length < 1) await new Promise((resolve) => setImmediate(resolve));
    await handle.stop();
    expect(out.rows).toEqual(['{"a":1}']);
  });

  test.each(["acquire", "writeBatch"] as const)("gives up at its deadline when %s hangs", async (hanging) => {
    const never = new Promise<never>(() => undefined);
    const time = new VirtualTime();
    const source = new TestingSource<number>();
    source.push([1]);
    const store: Store = {
      look: () => Promise.resolve(undefined),
      acquire: () => never,
      close: () => Promise.resolve(),
    };
    const flow = passing<number>(
      source,
      sinkOf<number>(hanging === "writeBatch" ? { writeBatch: () => never } : {}),
    );
    const handle = start(flow, { time, drainTimeoutMs: 500, ...(hanging === "acquire" ? { store } : {}) });
    await time.yield();
    const stopped = handle.stop();
    time.set(500);
    await expect(stopped).rejects.toMatchObject({ code: "MILLRACE_DRAIN_TIMEOUT" });
  });
});

describe("ending an idle run", () => {
  test("does not wait for a silent partition or for one that has ended", async () => {
    const source = new TestingSource<string>({ parts: ["busy", "silent", "over"] });
    source.push(["a"], { part: "over" });
    source.end("over");
    const out = new TestingSink<string>();
    const driver = await FlowDriver.start(passing(source, out), { exitWhenIdleMs: 1_000 });
    source.push(["b"], { part: "busy" });
    await driver.advanceBy(2_500);
    expect(driver.stats().tasks.map(({ phase }) => phase)).toEqual(["ended", "ended", "ended"]);
    await driver.done;
  });

  test("does not accept a proof over a new connection for the time without a connection", async () => {
    const source = new TestingSource<string>();
    const out = new TestingSink<string>();
    const driver = await FlowDriver.start(passing(source, out), { exitWhenIdleMs: 1_000 });
    source.push(["a"]);
    await driver.advanceBy(600);
    source.pause();
    await driver.advanceBy(10_000);
    // The proof that is asked for now comes after an outage in which anything may have been missed.
    source.resume();
    await driver.advanceBy(999);
    source.push(["b"]);
    await driver.settle();
    expect(out.rows).toEqual(["a", "b"]);
    await driver.advanceBy(2_000);
    await driver.done;
  });

  test("never ends with a source that cannot prove it is drained, and logs that at the start", async () => {
    const { logger, logged } = loggerOf();
    const source = withoutProof(new TestingSource<string>());
    const out = new TestingSink<string>();
    const driver = await FlowDriver.start(passing(source, out), { exitWhenIdleMs: 100, logger });
    source.inner.push(["a"]);
    await driver.advanceBy(60_000);
    source.inner.push(["b"]);
    await driver.settle();
    await driver.stop();
    expect(out.rows).toEqual(["a", "b"]);
    expect(logged("warn")).toEqual([
      expect.objectContaining({ event: "never-drained", step: "in", part: "testing", windows: [] }),
    ]);
  });
});

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

describe("a custom operator", () => {
  const throwing = (): never => {
    throw new TypeError("out of order");
  };
  const cases: readonly [string, Partial<Operator<number, number>>][] = [
    ["process", { process: throwing }],
    ["advance", { advance: throwing, nextWake: (now) => ({ at: now, needs: "time" }) }],
    ["nextWake", { nextWake: throwing }],
    ["nextPage", { pending: true, nextPage: throwing }],
    ["finish", { finish: throwing }],
    ["early", { early: throwing }],
    ["watermark", { watermark: throwing }],
    ["snapshot", { snapshot: throwing, restore: () => undefined }],
    ["restore", { snapshot: () => [], restore: throwing }],
  ];
  test.each(cases)("that throws in %s is named", async (method, parts) => {
    const store = new MemoryStore();
    const flowOf = (operator: Partial<Operator<number, number>>): [Dataflow, TestingSource<number>] => {
      const source = new TestingSource<number>();
      const flow = new Dataflow("custom");
      flow
        .input("in", source)
        .custom("mine", () => ({
          process: () => undefined,
          snapshot: () => [],
          restore: () => undefined,
          ...operator,
        }))
        .output("out", new TestingSink());
      return [flow, source];
    };
    const [whole, first] = flowOf({});
    first.end();
    if (method === "restore") await run(whole, { store });
    const [flow, source] = flowOf(parts);
    const driver = await FlowDriver.start(flow, {
      exitWhenIdleMs: 100,
      ...(method === "advance" ? {} : { store }),
    });
    source.push([1]);
    if (method === "finish") source.end();
    await driver.advanceBy(5_000);
    await expect(driver.done).rejects.toMatchObject({ code: "MILLRACE_STEP_FAILED", step: "mine" });
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

describe("the error of a run that is given up", () => {
  async function givenUp(store?: Store): Promise<unknown> {
    const time = new VirtualTime();
    const source = new TestingSource<number>();
    let taken = 0;
    const sink = sinkOf<number>({
      writeBatch: () => ((taken += 1) > 1 ? new Promise<never>(() => undefined) : Promise.resolve()),
    });
    const handle = start(passing(source, sink), {
      time,
      drainTimeoutMs: 500,
      ...(store === undefined ? {} : { store }),
    });
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 20; turn++) await time.yield();
    };
    await turns();
    source.push([1, 2]);
    await turns();
    source.push([3, 4, 5]);
    await turns();
    const stopped = handle.stop().catch((error: unknown) => error);
    time.set(500);
    return await stopped;
  }

  test("counts what is missing without a store", async () => {
    expect(await givenUp()).toMatchObject({
      code: "MILLRACE_DRAIN_TIMEOUT",
      message: expect.stringMatching(/up to 3 rows were not written; nothing is kept/),
    });
  });

  test("counts what is in no commit with a store", async () => {
    expect(await givenUp(new MemoryStore())).toMatchObject({
      message: expect.stringMatching(/from the last commit: the 5 events read since then are read again if/),
    });
  });
});

describe("idle from the start", () => {
  test("a run over an empty input ends", async () => {
    const driver = await FlowDriver.start(passing(new TestingSource<number>(), new TestingSink()), {
      exitWhenIdleMs: 1_000,
      idleFrom: "start",
    });
    await driver.advanceBy(2_000);
    await driver.done;
  });

  test("is not the default: one line is logged about the wait", async () => {
    const { logger, logged } = loggerOf();
    const source = new TestingSource<number>();
    const driver = await FlowDriver.start(passing(source, new TestingSink()), {
      exitWhenIdleMs: 1_000,
      logger,
    });
    await driver.advanceBy(5_000);
    expect(logged("info")).toEqual([expect.objectContaining({ event: "waiting-for-first-event" })]);
    source.push([1]);
    await driver.advanceBy(2_000);
    await driver.done;
  });
});

describe("a file sink on a full disk", () => {
  test("fails the run and names the step", async () => {
    const flow = passing(new IterableSource([1]), new JsonlFileSink<number>("/dev/full"));
    await expect(run(flow)).rejects.toMatchObject({
      code: "MILLRACE_SINK_FAILED",
      message: expect.stringMatching(/step "out": cannot write \/dev\/full: .*ENOSPC/),
    });
  });

  test.each(["snapshot", "flush", "buildPart"] as const)("whose %s fails does, too", async (method) => {
    const full = (): Promise<never> => Promise.reject(new Error("ENOSPC: no space left"));
    const sink: Sink<number> = method === "buildPart" ? { buildPart: full } : sinkOf({ [method]: full });
    await expect(
      run(passing(new IterableSource([1]), sink), { store: new MemoryStore() }),
    ).rejects.toMatchObject({
      code: "MILLRACE_SINK_FAILED",
      message: expect.stringContaining('step "out"'),
    });
  });
});

describe("options", () => {
  test("have their defaults if they are undefined", async () => {
    const out = new TestingSink<number>();
    const given = { logger: undefined, time: undefined, commitEveryMs: undefined, store: undefined };
    // As JavaScript, or a program that is compiled with other settings, may call it.
    await run(passing(new IterableSource([1]), out), given as unknown as RunOptions);
    expect(out.rows).toEqual([1]);
  });

  test("of a step or a source have their defaults if they are undefined", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-options-"));
    const path = join(folder, "lines.jsonl");
    await writeFile(path, "1\n2\n");
    const none = { chunkBytes: undefined, maxLineBytes: undefined } as unknown as LineOptions;
    const some = { concurrency: undefined, retries: undefined } as unknown as MapAsyncOptions;
    const out = new TestingSink<number>();
    const flow = new Dataflow("undefined");
    flow
      .input("in", new JsonlFileSource(path, none))
      .mapAsync("number", (line) => Promise.resolve(Number(line)), some)
      .output("out", out);
    await run(flow);
    expect(out.rows).toEqual([1, 2]);
    await rm(folder, { recursive: true });
  });

  test("that name a partition twice are refused: it would fence itself", async () => {
    const flow = passing(new TestingSource<number>({ parts: ["a", "b"] }), new TestingSink<number>());
    const handle = start(flow, { parts: ["a", "b", "a"], store: new MemoryStore() });
    await expect(handle.done).rejects.toMatchObject({
      code: "MILLRACE_FLOW_INVALID",
      message: expect.stringContaining("partition a is named more than once"),
    });
  });
});

describe("errors", () => {
  test("of a sink name its step, and an error of closing does not hide them", async () => {
    const { logger, logged } = loggerOf();
    const sink = sinkOf<number>({
      writeBatch: () => Promise.reject(new Error("disk full")),
      close: () => Promise.reject(new Error("close failed")),
    });
    await expect(run(passing(new IterableSource([1]), sink), { logger })).rejects.toMatchObject({
      code: "MILLRACE_SINK_FAILED",
      message: 'step "out", partition "iterable": disk full',
    });
    expect(logged("warn")).toEqual([
      expect.objectContaining({ message: 'step "out", partition "iterable": close failed' }),
    ]);
  });

  test("of a stream that is closed while it is full end the run", async () => {
    const pipe = new PassThrough({ highWaterMark: 1 });
    const handle = start(passing(new IterableSource(["much", "more"]), new WritableSink<string>(pipe)));
    await new Promise((resolve) => setImmediate(resolve));
    pipe.destroy();
    await expect(handle.done).rejects.toMatchObject({ code: "MILLRACE_SINK_FAILED" });
  });

  test.each(["advance", "nextPage", "finish", "early", "snapshot", "restore"] as const)(
    "of an operator's %s name its step",
    async (failing) => {
      const fail = (): never => {
        throw new Error("not today");
      };
      const store = new MemoryStore();
      const source = new TestingSource<number>();
      const start = (operator: Partial<Operator<number, number>>): Promise<FlowDriver> => {
        const flow = new Dataflow("failing");
        const process = (): void => undefined;
        flow
          .input("in", source)
          .custom("step", () => ({ snapshot: () => [], process, ...operator }))
          .output("out", new TestingSink());
        return FlowDriver.start(flow, { store, exitWhenIdleMs: 10, closeWindows: failing === "finish" });
      };
      await (await start({})).stop();
      const driver = await start({
        ...(failing === "advance" ? { nextWake: () => ({ at: 1, needs: "time" }) } : {}),
        ...(failing === "nextPage" ? { pending: true } : {}),
        [failing]: fail,
      });
      source.push([1]);
      await driver.settle();
      await driver.advanceBy(1_000);
      await expect(driver.done).rejects.toMatchObject({
        code: "MILLRACE_STEP_FAILED",
        message: expect.stringContaining('step "step", partition "testing": not today'),
      });
    },
  );

  test("of a branch's predicate are counted if they are skipped", async () => {
    const flow = new Dataflow("branching", { deadLetter: new TestingSink<DeadLetter>() });
    const { yes, no } = flow.input("in", new IterableSource([1, 2, 3])).branch(
      "odd",
      (n) => {
        if (n === 2) throw new Error("neither");
        return n % 2 === 1;
      },
      { onError: "dead-letter" },
    );
    yes.merge("both", no).output("out", new TestingSink());
    expect(reconcile(await run(flow)).skipped).toBe(1);
  });
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

describe("with a store", () => {
  const counts = (source: Source<string>): Dataflow => {
    const flow = new Dataflow("counts");
    flow
      .input("in", source)
      .keyBy("key", (key) => key)
      .window("w", tumbling(1_000), systemTime())
      .count("n")
      .output("out", new TestingSink());
    return flow;
  };

  test("every event is accounted for in a run that continues another", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<string>();
    const first = await FlowDriver.start(counts(source), { store });
    source.push(["a", "b"]);
    await first.settle();
    await first.stop();
    const second = await FlowDriver.start(counts(source), { store });
    source.push(["a"]);
    await second.settle();
    expect(reconcile(await second.stop())).toMatchObject({
      received: 1,
      windowed: 1,
      counted: 1,
      unaccounted: 0,
    });
  });

  test("results are committed as soon as their window has closed", async () => {
    const commits: number[] = [];
    const store = new CrashingStore(new MemoryStore(), ({ number }) => {
      commits.push(number);
      return undefined;
    });
    const source = new TestingSource<string>();
    const driver = await FlowDriver.start(counts(source), { store, commitEveryMs: 60_000 });
    source.push(["a"]);
    await driver.advanceTo(999);
    expect(commits).toEqual([1]);
    await driver.advanceTo(1_000);
    expect(commits).toEqual([1, 2]);
    await driver.stop();
  });

  test("a sink that belongs to one store is refused with any other store", async () => {
    const store = new MemoryStore();
    const sink = { ...sinkOf<number>({ takeOutputs: () => [] }), store };
    const flow = (): Dataflow => passing(new IterableSource([1]), sink);
    await expect(run(flow())).rejects.toMatchObject({ code: "MILLRACE_FLOW_INVALID" });
    const folder = await mkdtemp(join(tmpdir(), "millrace-refused-"));
    await expect(run(flow(), { store: new FileStore(folder) })).rejects.toMatchObject({
      code: "MILLRACE_FLOW_INVALID",
    });
    await expect(run(flow(), { store: new MemoryStore() })).rejects.toMatchObject({
      code: "MILLRACE_FLOW_INVALID",
    });
    await run(flow(), { store });
    await run(flow(), { store: new CrashingStore(store, () => undefined) });
    await rm(folder, { recursive: true });
  });

  test("a sink that passes rows to commits and names no store is refused: a store would drop them", async () => {
    const sink = sinkOf<number>({ takeOutputs: () => [] });
    const flow = passing(new IterableSource([1]), sink);
    const refused = run(flow, { store: new MemoryStore() });
    await expect(refused).rejects.toMatchObject({ code: "MILLRACE_FLOW_INVALID" });
    await expect(refused).rejects.toThrow(/"out": its sink .* names no store/);
  });

  test("a dead letter's rows are committed as any other sink's", async () => {
    const store = new MemoryStore();
    const letters: DeadLetter[] = [];
    const sink = sinkOf<DeadLetter>({
      writeBatch(rows) {
        letters.push(...rows);
        return Promise.resolve();
      },
      takeOutputs: () => [
        { step: "dead", target: null, rows: letters.splice(0).map(({ payload }) => payload) },
      ],
    });
    const flow = new Dataflow("letters", { deadLetter: { ...sink, store } });
    flow
      .input("in", new IterableSource(["bad"]))
      .decode("decode", { decode: () => ({ kind: "malformed", reason: { code: "x", message: "x" } }) })
      .output("out", new TestingSink());
    await run(flow, { store });
    const outputs = store.outputs({ flow: "letters", part: "iterable" });
    expect(outputs.flatMap(({ rows }) => rows)).toEqual(["bad"]);
  });
});
