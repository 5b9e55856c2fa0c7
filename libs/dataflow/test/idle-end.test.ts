import { describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore, SILENT_LOGGER, reconcile } from "@millrace/dataflow";
import type { Commit, RunOptions, Source } from "@millrace/dataflow";
import { CrashingStore, FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { eventTime, tumbling } from "@millrace/windowing";
import { loggerOf } from "./support/logger-of.ts";
import { withoutProof } from "./support/without-proof.ts";
import { runningSum } from "./support/running-sum.ts";
import type { SumRow } from "./support/running-sum.ts";
import { passing } from "./support/passing.ts";

const IDLE = { exitWhenIdleMs: 1_000 };

/** One run after another over the same source, each until it is idle. */
function runs(pages?: number): {
  readonly store: MemoryStore;
  readonly next: (events: readonly number[], options?: RunOptions) => Promise<readonly SumRow[]>;
} {
  const source = new TestingSource<number>();
  const store = new MemoryStore();
  return {
    store,
    async next(events, options = { store }) {
      const out = new TestingSink<SumRow>();
      const flow = new Dataflow("sums");
      flow.input("in", source).custom("sum", runningSum(pages)).output("out", out);
      const driver = await FlowDriver.start(flow, { ...IDLE, ...options });
      source.push(events);
      await driver.settle();
      await driver.advanceBy(5_000);
      await driver.done;
      return out.rows;
    },
  };
}

describe("the end of a run that is idle", () => {
  test("with a store, emits early results, and the next run continues from there", async () => {
    const { next } = runs();
    expect(await next([1, 2])).toEqual([{ sum: 3, cause: "early" }]);
    expect(await next([4])).toEqual([{ sum: 7, cause: "early" }]);
  });

  test("with a store and closeWindows, closes all windows", async () => {
    const { next, store } = runs();
    expect(await next([1, 2], { store, closeWindows: true })).toEqual([{ sum: 3, cause: "end" }]);
    expect(await next([4])).toEqual([{ sum: 4, cause: "early" }]);
  });

  test.each([undefined, true, false])(
    "without a store, closes all windows: closeWindows %s",
    async (close) => {
      const { next } = runs();
      const options = close === undefined ? {} : { closeWindows: close };
      expect(await next([1, 2], options)).toEqual([{ sum: 3, cause: "end" }]);
    },
  );

  test("comes also if the source itself has refused everything", async () => {
    const source = new TestingSource<number>();
    const refusing: Source<number> = {
      partitioning: source.partitioning,
      listParts: () => source.listParts(),
      buildPart(part, resume, context) {
        context.reject("no number", { code: "no-number", message: "no number" });
        return source.buildPart(part, resume, context);
      },
    };
    const flow = new Dataflow("refused");
    flow.input("in", refusing).output("out", new TestingSink());
    const driver = await FlowDriver.start(flow, { ...IDLE, logger: SILENT_LOGGER });
    await driver.advanceBy(5_000);
    expect(reconcile(await driver.done)).toMatchObject({ malformed: 1, unaccounted: 0 });
  });

  test("emits page by page, with a commit for each, the last of which is complete", async () => {
    const { next, store } = runs(2);
    const commits: Commit[] = [];
    const watched = new CrashingStore(store, (commit) => {
      commits.push(commit);
      return undefined;
    });
    expect(await next([1], { store: watched })).toHaveLength(3);
    expect(commits.map(({ partial }) => partial).slice(-3)).toEqual([true, true, false]);
  });
});

test("windows emit early results and continue in the next run, whose events are not late", async () => {
  const HOUR = tumbling(3_600_000);
  const source = new TestingSource<number>();
  const store = new MemoryStore();
  const next = async (events: readonly number[], startAt: number, closeWindows = false): Promise<unknown> => {
    const out = new TestingSink<unknown>();
    const flow = new Dataflow("hourly");
    flow
      .input("in", source)
      .keyBy("all", () => "all")
      .window(
        "w",
        HOUR,
        eventTime((at) => at, { wait: 0 }),
      )
      .count("n")
      .map("row", ({ value, revision, cause }) => [value, revision, cause])
      .output("out", out);
    const driver = await FlowDriver.start(flow, { ...IDLE, store, closeWindows, startAt });
    if (events.length > 0) source.push(events);
    await driver.settle();
    await driver.advanceBy(5_000);
    expect(reconcile(await driver.done)).toMatchObject({ counted: events.length, late: 0, unaccounted: 0 });
    return out.rows;
  };
  expect(await next([1_000, 2_000], 10_000)).toEqual([[2, 0, "early"]]);
  expect(await next([3_000], 600_000)).toEqual([[3, 1, "early"]]);
  expect(await next([3_500, 3_600], 1_200_000)).toEqual([[5, 2, "early"]]);
  expect(await next([], 1_800_000, true)).toEqual([[5, 3, "end"]]);
});

test("the end of the input closes all windows, also with a store and in a run that ends when it is idle", async () => {
  const source = new TestingSource<number>();
  const out = new TestingSink<SumRow>();
  const flow = new Dataflow("sums");
  flow.input("in", source).custom("sum", runningSum()).output("out", out);
  const driver = await FlowDriver.start(flow, { ...IDLE, store: new MemoryStore() });
  source.push([1, 2]);
  source.end();
  await driver.done;
  expect(out.rows).toEqual([{ sum: 3, cause: "end" }]);
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
