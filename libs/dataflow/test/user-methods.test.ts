import { describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore, start } from "@millrace/dataflow";
import type { Operator, Sink, SinkPartition, Source, SourcePartition } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource, VirtualTime } from "@millrace/dataflow/testing";
import { eventTime, systemTime, tumbling } from "@millrace/windowing";
import { loggerOf } from "./support/logger-of.ts";
import { withParts } from "./support/with-parts.ts";

const HOUR = 3_600_000;

/** Throws, as what is wrong in a user's own code does. */
function boom(): never {
  throw new Error("boom");
}

const rejects = (): Promise<never> => Promise.reject(new Error("boom"));

describe("an error of any method of an operator names its step", () => {
  const PASSING: Operator<string, string> = {
    process(batch, _now, out) {
      out.emit(batch);
    },
  };
  /** An operator that passes its input on. @param own whose getters stay getters */
  const passing = (own: Partial<Operator<string, string>> = {}): Operator<string, string> =>
    Object.defineProperties({ ...PASSING }, Object.getOwnPropertyDescriptors(own));

  const methods: Readonly<Record<string, Partial<Operator<string, string>>>> = {
    process: { process: boom },
    advance: { advance: boom, nextWake: () => ({ at: 0, needs: "time" }) },
    skipped: { skipped: boom },
    finish: { finish: boom },
    nextWake: { nextWake: boom },
    pending: {
      get pending(): boolean {
        return boom();
      },
    },
    nextPage: { pending: true, nextPage: boom },
    snapshot: { snapshot: boom },
    restore: { snapshot: () => [], restore: boom },
    watermark: { watermark: boom },
    early: { early: boom },
  };

  async function failureOf(operator: () => Operator<string, string>, closeWindows = false): Promise<unknown> {
    const source = new TestingSource<string>();
    const flow = new Dataflow("own");
    flow.input("in", source).custom("mine", operator).output("out", new TestingSink());
    const store = new MemoryStore();
    // A commit to continue from, for methods that are called only then.
    const before = new Dataflow("own");
    before
      .input("in", source)
      .custom("mine", () => ({ ...PASSING, snapshot: () => [] }))
      .output("out", new TestingSink());
    await (await FlowDriver.start(before, { store })).stop();
    const driver = await FlowDriver.start(flow, { store, exitWhenIdleMs: 1_000, closeWindows });
    const failure = driver.done.then(
      () => "no failure",
      (error: unknown) => error,
    );
    source.push(["a"]);
    await driver.settle();
    expect(() => {
      driver.time.stepWall(HOUR);
    }).not.toThrow();
    source.push(["b"]);
    await driver.advanceBy(5_000);
    return failure;
  }

  test.each(Object.keys(methods))("%s", async (method) => {
    const failure = await failureOf(() => passing(methods[method]), method === "finish");
    expect(failure).toMatchObject({
      code: "MILLRACE_STEP_FAILED",
      message: expect.stringContaining('step "mine", partition "testing": boom'),
    });
  });

  test("also of its factory", async () => {
    expect(await failureOf(boom)).toMatchObject({ code: "MILLRACE_STEP_FAILED", step: "mine" });
  });

  test.each([
    ["stats", { stats: boom }],
    [
      "gauges",
      {
        stats: () => ({ seen: 1 }),
        get gauges(): readonly string[] {
          return boom();
        },
      },
    ],
  ])("except in %s, which is only reported: the run continues, and one line is logged", async (_, own) => {
    const source = new TestingSource<string>();
    const { logger, logged } = loggerOf();
    const flow = new Dataflow("figures");
    flow
      .input("in", source)
      .custom("mine", () => passing(own))
      .output("out", new TestingSink());
    const driver = await FlowDriver.start(flow, { store: new MemoryStore(), logger });
    source.push(["a"]);
    await driver.settle();
    expect(driver.stats().tasks[0]?.steps).toContainEqual(
      expect.objectContaining({ id: "mine", eventsIn: 1, figures: {} }),
    );
    await driver.stop();
    driver.stats();
    expect(logged("warn")).toEqual([
      expect.objectContaining({ event: "figures-unknown", step: "mine", part: "testing" }),
    ]);
  });
});

describe("an adjustment of the clock", () => {
  test("reaches a step in its next turn, before the adjusted time", async () => {
    const calls: unknown[] = [];
    const source = new TestingSource<string>();
    const flow = new Dataflow("clock");
    flow
      .input("in", source)
      .custom("mine", (): Operator<string, string> => ({
        process: (_batch, now) => void calls.push(["process", now]),
        skipped: (ms) => void calls.push(["skipped", ms]),
      }))
      .output("out", new TestingSink());
    const driver = await FlowDriver.start(flow);
    source.push(["a"]);
    await driver.settle();
    driver.time.stepWall(HOUR);
    driver.time.now();
    expect(calls).toEqual([["process", 0]]);
    source.push(["b"]);
    await driver.settle();
    expect(calls).toEqual([
      ["process", 0],
      ["skipped", HOUR],
      ["process", HOUR],
    ]);
    await driver.stop();
  });
});

describe("an error of a source names its step", () => {
  const opened: Readonly<Record<string, Partial<SourcePartition<string>>>> = {
    nextBatch: { nextBatch: boom },
    "nextBatch, later": { nextBatch: rejects },
    drained: { drained: boom },
    snapshot: { snapshot: boom },
    committed: { committed: boom },
    "committed, later": { committed: rejects },
    completeness: { completeness: boom },
    settledUpTo: { settledUpTo: boom },
    stop: { stop: boom },
    close: { close: boom },
    "close, later": { close: rejects },
  };
  const unopened: Readonly<Record<string, Partial<Source<string>>>> = {
    listParts: { listParts: boom },
    checkStart: { checkStart: boom },
    buildPart: { buildPart: boom },
    checkPosition: { checkPosition: boom },
    positions: { positions: { divide: boom, unite: boom } },
  };

  async function failureOf(made: (inner: TestingSource<string>) => Source<string>): Promise<unknown> {
    const inner = new TestingSource<string>();
    const store = new MemoryStore();
    const flowOf = (source: Source<string>): Dataflow => {
      const flow = new Dataflow("reading");
      flow
        .input("in", source)
        .keyBy("all", () => "all")
        .window("w", tumbling(1_000), systemTime({ settle: 100 }))
        .count("n")
        .output("out", new TestingSink());
      return flow;
    };
    await (await FlowDriver.start(flowOf(inner), { store })).stop();
    const time = new VirtualTime();
    const running = start(flowOf(made(inner)), { store, time, exitWhenIdleMs: 60_000 });
    const failure = running.done.then(
      () => "no failure",
      (error: unknown) => error,
    );
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 10; turn += 1) await time.yield();
    };
    await turns();
    inner.push(["a"]);
    await turns();
    for (let now = 100; now <= 2_000; now += 100) {
      time.set(now);
      await turns();
    }
    expect(() => void running.stop().catch(() => undefined)).not.toThrow();
    return failure;
  }

  test.each(Object.keys(opened))("an open partition's %s", async (method) => {
    const failure = await failureOf((inner) => withParts(inner, () => opened[method] ?? {}));
    expect(failure).toMatchObject({
      code: "MILLRACE_SOURCE_FAILED",
      message: 'step "in", partition "testing": boom',
    });
  });

  test.each(Object.keys(unopened))("%s", async (method) => {
    const failure = await failureOf((inner) => ({
      partitioning: inner.partitioning,
      listParts: () => inner.listParts(),
      buildPart: (...args) => inner.buildPart(...args),
      ...unopened[method],
    }));
    expect(failure).toMatchObject({
      code: "MILLRACE_SOURCE_FAILED",
      message: expect.stringMatching(/^step "in"(, partition "testing")?: boom$/),
    });
  });

  test("except in stats, which are only reported", async () => {
    const inner = new TestingSource<string>();
    const { logger, logged } = loggerOf();
    const flow = new Dataflow("figures");
    flow
      .input(
        "in",
        withParts(inner, () => ({ stats: boom })),
      )
      .output("out", new TestingSink());
    const driver = await FlowDriver.start(flow, { store: new MemoryStore(), logger });
    inner.push(["a"]);
    await driver.settle();
    expect(await driver.stop()).toMatchObject({ tasks: [{ source: { read: 1 } }] });
    expect(logged("warn").filter((line) => "event" in line && line.event === "figures-unknown")).toEqual([
      expect.objectContaining({ step: "in", part: "testing" }),
    ]);
  });
});

describe("an error of a sink names its step", () => {
  const none = (): Promise<void> => Promise.resolve();
  const opened: Readonly<Record<string, Partial<SinkPartition<unknown>>>> = {
    writeBatch: { writeBatch: boom },
    flush: { flush: boom },
    snapshot: { snapshot: boom },
    takeOutputs: { takeOutputs: boom },
    close: { close: boom },
    "close, later": { close: rejects },
  };
  const unopened: Readonly<Record<string, Partial<Sink<unknown>>>> = {
    checkResume: { checkResume: boom },
    buildPart: { buildPart: boom },
  };

  test.each([...Object.keys(opened), ...Object.keys(unopened)])("%s", async (method) => {
    const store = new MemoryStore();
    const source = new TestingSource<string>();
    const sink: Sink<unknown> = {
      store,
      buildPart: () => Promise.resolve({ writeBatch: none, flush: none, close: none, ...opened[method] }),
      ...unopened[method],
    };
    const flow = new Dataflow("writing");
    flow.input("in", source).output("out", sink);
    const driver = await FlowDriver.start(flow, { store });
    source.push(["a"]);
    await driver.settle();
    await expect(driver.stop()).rejects.toMatchObject({
      code: "MILLRACE_SINK_FAILED",
      message: 'step "out", partition "testing": boom',
    });
  });
});

describe("an error of a clock's function names the step", () => {
  test("the time of an event", async () => {
    const source = new TestingSource<string>();
    const flow = new Dataflow("clocks");
    flow
      .input("in", source)
      .keyBy("all", () => "all")
      .window("w", tumbling(1), eventTime(boom, { wait: 0 }))
      .count("n")
      .output("out", new TestingSink());
    const driver = await FlowDriver.start(flow);
    source.push(["a"]);
    await expect(driver.done).rejects.toMatchObject({ code: "MILLRACE_STEP_FAILED", step: "w.n" });
  });
});
