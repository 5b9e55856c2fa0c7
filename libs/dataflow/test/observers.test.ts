import { describe, expect, test } from "@jest/globals";
import { Dataflow, FileStore, MemoryStore, start } from "@millrace/dataflow";
import type { DeadLetter, ObservedRun, RunObserver, StoreOutput } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { eventTime, session, systemTime, tumbling } from "@millrace/windowing";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { counts } from "./support/counting-flow.ts";
import { loggerOf } from "./support/logger-of.ts";

/** An observer that keeps all that it is called with, in order. */
function noting(): { readonly observer: RunObserver; readonly seen: (method: string) => unknown[] } {
  const calls: [method: string, report: unknown][] = [];
  const note = (method: string) => (report: unknown) => void calls.push([method, report]);
  const observer: RunObserver = {
    started: note("started"),
    batchDone: note("batchDone"),
    resultsEmitted: note("resultsEmitted"),
    rowsWritten: note("rowsWritten"),
    commitDone: note("commitDone"),
    deadLetter: note("deadLetter"),
  };
  return {
    observer,
    seen: (method) => calls.filter(([name]) => name === method).map(([, report]) => report),
  };
}

describe("an observer", () => {
  test("gets each batch, each page of results, each write and each commit", async () => {
    const source = new TestingSource<string>();
    const { observer, seen } = noting();
    const store = new MemoryStore();
    const flow = new Dataflow("seen");
    flow
      .input("in", source)
      .keyBy("by", (key) => key)
      .window("w", tumbling(1_000), systemTime(), { pageSize: 2 })
      .count("n")
      .output("out", new TestingSink());
    const driver = await FlowDriver.start(flow, { store, observers: [observer], commitEveryMs: 60_000 });
    source.push(["a", "b", "c"]);
    await driver.settle();
    expect(seen("batchDone")).toEqual([{ part: "testing", startedAt: 0, durationMs: 0, events: 3 }]);
    expect(seen("resultsEmitted")).toEqual([]);
    await driver.advanceBy(1_000);
    expect(seen("resultsEmitted")).toMatchObject([
      { part: "testing", step: "w.n", at: 1_000, results: [{ key: "a", value: 1 }, { key: "b" }] },
      {
        part: "testing",
        step: "w.n",
        at: 1_000,
        results: [{ key: "c", cause: "watermark", part: "testing" }],
      },
    ]);
    expect(seen("rowsWritten")).toMatchObject([
      { part: "testing", step: "out", startedAt: 1_000, durationMs: 0, rows: 2 },
      { part: "testing", step: "out", startedAt: 1_000, durationMs: 0, rows: 1 },
    ]);
    await driver.stop();
    expect(seen("commitDone").slice(0, 3)).toMatchObject([
      { part: "testing", number: 1, partial: false, bytes: undefined },
      { number: 2, startedAt: 1_000, durationMs: 0, rows: 0, partial: true },
      { number: 3, partial: false },
    ]);
    const [, page] = seen("commitDone") as { readonly changes: number }[];
    expect(page?.changes).toBeGreaterThan(0);
  });

  test("gets early results, and those of the end of the input", async () => {
    const source = new TestingSource<string>();
    const { observer, seen } = noting();
    const driver = await FlowDriver.start(counts(source, { options: { earlyEvery: 100 } }), {
      observers: [observer],
    });
    source.push(["x"]);
    await driver.advanceBy(100);
    expect(seen("resultsEmitted")).toMatchObject([{ results: [{ cause: "early" }] }]);
    source.end();
    await driver.done;
    expect(seen("resultsEmitted")).toMatchObject([{}, { results: [{ cause: "end", revision: 1 }] }]);
  });

  test("gets the number of rows that became visible with a commit, which no sink has written", async () => {
    const source = new TestingSource<string>();
    const { observer, seen } = noting();
    const store = new MemoryStore();
    let rows: string[] = [];
    const takeOutputs = (): readonly StoreOutput[] => {
      const output = { step: "out", target: undefined, rows };
      rows = [];
      return [output];
    };
    const flow = new Dataflow("visible");
    flow.input("in", source).output("out", {
      store,
      buildPart: () =>
        Promise.resolve({
          writeBatch: (batch) => Promise.resolve(void rows.push(...batch)),
          flush: () => Promise.resolve(),
          takeOutputs,
          close: () => Promise.resolve(),
        }),
    });
    const driver = await FlowDriver.start(flow, { store, observers: [observer] });
    source.push(["a", "b"]);
    await driver.settle();
    await driver.stop();
    expect(seen("rowsWritten")).toEqual([]);
    expect(seen("commitDone")).toMatchObject([{ rows: 0 }, { rows: 2 }]);
  });

  test("gets the size of a commit if the store reports it, as the last commit's figures do", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-observers-"));
    try {
      const source = new TestingSource<string>();
      const { observer, seen } = noting();
      const driver = await FlowDriver.start(counts(source), {
        store: new FileStore(folder),
        observers: [observer],
      });
      source.push(["a"]);
      await driver.settle();
      const { tasks } = await driver.stop();
      const commits = seen("commitDone") as { readonly bytes: number }[];
      expect(commits.at(-1)?.bytes).toBeGreaterThan(100);
      expect(tasks[0]?.lastCommit?.bytes).toBe(commits.at(-1)?.bytes);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("gets dead letters, with and without a sink for them, and those of the source", async () => {
    for (const deadLetter of [undefined, new TestingSink<DeadLetter>()]) {
      const { observer, seen } = noting();
      const bad = { code: "bad", message: "bad" };
      const flow = new Dataflow("refusing", deadLetter === undefined ? {} : { deadLetter });
      const source = new TestingSource<string>();
      flow
        .input("in", {
          partitioning: source.partitioning,
          listParts: () => source.listParts(),
          async buildPart(part, resume, context) {
            const opened = await source.buildPart(part, resume, context);
            context.reject("long", { code: "too-long", message: "too long" });
            return opened;
          },
        })
        .decode("decode", { decode: () => ({ kind: "malformed", reason: bad }) })
        .output("out", new TestingSink());
      const driver = await FlowDriver.start(flow, { observers: [observer], logger: loggerOf().logger });
      source.push(["x"]);
      await driver.settle();
      await driver.stop();
      expect(seen("deadLetter")).toEqual([
        { step: "in", part: "testing", reason: { code: "too-long", message: "too long" }, payload: "long" },
        { step: "decode", part: "testing", reason: bad, payload: "x" },
      ]);
      expect(deadLetter?.rows.length ?? 2).toBe(2);
    }
  });

  test("that throws or rejects is logged once, not called again, and does not disturb the run or others", async () => {
    const source = new TestingSource<string>();
    const { logger, logged } = loggerOf();
    let calls = 0;
    // As an async function, which the type allows.
    const later = (): unknown => Promise.reject(new Error("later"));
    const failing: RunObserver = {
      batchDone() {
        calls += 1;
        throw new Error("boom");
      },
      rowsWritten: later,
    };
    const { observer, seen } = noting();
    const flow = new Dataflow("disturbed");
    const out = new TestingSink<string>();
    flow.input("in", source).output("out", out);
    const driver = await FlowDriver.start(flow, { observers: [failing, observer], logger });
    for (const event of ["a", "b", "c"]) {
      source.push([event]);
      await driver.settle();
    }
    await driver.stop();
    expect(calls).toBe(1);
    expect(out.rows).toEqual(["a", "b", "c"]);
    expect(seen("batchDone")).toHaveLength(3);
    expect(logged("warn")).toEqual([
      {
        event: "observer-failed",
        method: "rowsWritten",
        message: "an observer's rowsWritten() failed: later; it is not called again, and the run continues",
      },
      expect.objectContaining({ event: "observer-failed", method: "batchDone" }),
    ]);
  });
});

describe("what an observer looks at", () => {
  test("is there before the first task, during the run and after it", async () => {
    const source = new TestingSource<string>();
    const looks: unknown[] = [];
    let run: ObservedRun | undefined;
    const started = (observed: ObservedRun): void => {
      run = observed;
      looks.push([observed.description.flow, observed.stats(), observed.openWindows(10)]);
    };
    const driver = await FlowDriver.start(counts(source), { observers: [{ started }] });
    expect(looks).toEqual([["counts", { flow: "counts", tasks: [] }, []]]);
    expect(run?.description.steps.map(({ id }) => id)).toEqual(["in", "all", "w.n", "out"]);
    source.push(["a", "b"]);
    await driver.settle();
    const open = { part: "testing", step: "w.n", key: undefined, keys: 1 };
    expect(run?.openWindows(10)).toMatchObject([{ ...open, window: { open: 0, close: 1_000 } }]);
    expect(run?.openWindows(0)).toEqual([]);
    expect(run?.stats().tasks).toMatchObject([{ phase: "waiting", batches: 1 }]);
    await driver.stop();
    expect(run?.stats().tasks).toMatchObject([{ phase: "ended" }]);
    expect(run?.openWindows(10)).toEqual([]);
  });

  test("has the sessions of every task with their keys", async () => {
    const parts = ["p", "q"];
    const source = new TestingSource<string>({ parts, partitioning: { kind: "arbitrary" } });
    const flow = new Dataflow("sessions");
    flow
      .input("in", source)
      .keyBy("by", (key) => key, { perPartition: true })
      .window(
        "w",
        session(1_000),
        eventTime(() => 5, { wait: 0 }),
      )
      .count("n")
      .output("out", new TestingSink());
    let run: ObservedRun | undefined;
    const driver = await FlowDriver.start(flow, {
      observers: [{ started: (observed) => void (run = observed) }],
    });
    source.push(["a", "b"], { part: "p" });
    source.push(["a"], { part: "q" });
    await driver.settle();
    expect(run?.openWindows(10).map(({ part, key, keys }) => [part, key, keys])).toEqual([
      ["p", "a", 1],
      ["p", "b", 1],
      ["q", "a", 1],
    ]);
    expect(run?.openWindows(1)).toHaveLength(2);
    await driver.stop();
  });

  test("never throws, whatever a step's own methods throw", async () => {
    const source = new TestingSource<string>();
    const { logger, logged } = loggerOf();
    let broken = false;
    const boom = (): never[] => {
      throw new Error("boom");
    };
    const watermark = (): number => (broken ? boom().length : 7);
    const flow = new Dataflow("own");
    flow
      .input("in", source)
      .custom("mine", () => ({ process: () => undefined, watermark, openWindows: boom }))
      .output("out", new TestingSink());
    let run: ObservedRun | undefined;
    const driver = await FlowDriver.start(flow, {
      logger,
      observers: [{ started: (observed) => void (run = observed) }],
    });
    expect(run?.stats().tasks).toMatchObject([{ watermark: 7 }]);
    broken = true;
    for (let i = 0; i < 2; i++) {
      expect(run?.stats().tasks).toMatchObject([{ watermark: 7 }]);
      expect(run?.openWindows(1)).toEqual([]);
    }
    expect(logged("warn")).toMatchObject([
      { event: "figures-unknown" },
      { event: "figures-unknown", step: "mine" },
    ]);
    broken = false;
    await driver.stop();
  });
});

test("a flow that is refused is not shown to observers", () => {
  const { observer, seen } = noting();
  expect(() => start(counts(new TestingSource()), { maxKeys: 0, observers: [observer] })).toThrow("maxKeys");
  expect(seen("started")).toEqual([]);
});
