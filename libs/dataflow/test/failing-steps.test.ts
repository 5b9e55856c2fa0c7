import { PassThrough } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import {
  Dataflow,
  IterableSource,
  JsonlFileSink,
  MemoryStore,
  reconcile,
  run,
  start,
  WritableSink,
} from "@millrace/dataflow";
import type { DeadLetter, Operator, Sink } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { loggerOf } from "./support/logger-of.ts";
import { passing, sinkOf } from "./support/passing.ts";

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
