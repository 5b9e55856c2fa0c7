import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Dataflow, MemoryStore, SILENT_LOGGER, reconcile } from "@millrace/dataflow";
import type { Json, Sink, StoreOutput } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { eventTime, systemTime, tumbling } from "@millrace/windowing";
import { RestorableStore } from "./support/restorable-store.ts";

const FLOW = "counts";

/** Takes rows to the store with the commits, or writes them itself and keeps nothing. */
function sinkOf(store: RestorableStore | undefined): Sink<unknown> {
  return {
    ...(store === undefined ? {} : { store }),
    buildPart() {
      let rows: Json[] = [];
      const none = (): Promise<void> => Promise.resolve();
      const takeOutputs = (): readonly StoreOutput[] => {
        const taken = rows;
        rows = [];
        return [{ step: "kept", target: null, rows: taken }];
      };
      return Promise.resolve({
        writeBatch(batch: readonly unknown[]) {
          rows.push(...batch.map((row) => JSON.stringify(row)));
          return Promise.resolve();
        },
        flush: none,
        close: none,
        ...(store === undefined ? {} : { takeOutputs }),
      });
    },
  };
}

/** Numbers: those below 0 are malformed, 0 is blank, and of the others some are late. */
function flowOf(source: TestingSource<number>, store: RestorableStore): Dataflow {
  const flow = new Dataflow(FLOW);
  const windowed = flow
    .input("in", source)
    .decode("decode", {
      decode: (n: number) =>
        n > 0
          ? { kind: "event", event: n }
          : n === 0
            ? { kind: "blank" }
            : { kind: "malformed", reason: { code: "below-0", message: "it is below 0" } },
    })
    .keyBy("key", (n) => String(n % 3))
    .window("w", tumbling(10), eventTime(Number, { wait: 0 }))
    .count("n");
  windowed.output("kept", sinkOf(store));
  windowed.output("written", sinkOf(undefined));
  return flow;
}

type Step =
  | { readonly kind: "push"; readonly events: readonly number[] }
  /** As many commits, each with a batch. */
  | { readonly kind: "commits"; readonly many: number }
  /** Time in which what was read is committed. */
  | { readonly kind: "pass" }
  | { readonly kind: "roll-back"; readonly commits: number }
  /** The run ends, and another one continues. */
  | { readonly kind: "restart" };

const EVERY_EVENTS = 6;

const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("push" as const),
      events: fc.array(fc.integer({ min: -2, max: 60 }), { maxLength: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("commits" as const), many: fc.nat(200) }) },
  { weight: 3, arbitrary: fc.constant({ kind: "pass" as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("roll-back" as const), commits: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
);

/** Plays steps, and holds the figures after each to a plain account of what was pushed. */
async function play(steps: readonly Step[]): Promise<void> {
  const store = new RestorableStore({ flow: FLOW, part: "testing" });
  const source = new TestingSource<number>();
  const pushed: (readonly number[])[] = [];
  const start = (): Promise<FlowDriver> =>
    FlowDriver.start(flowOf(source, store), {
      store,
      commitEveryEvents: EVERY_EVENTS,
      commitEveryMs: 1_000,
      logger: SILENT_LOGGER,
    });
  const push = (events: readonly number[]): void => {
    pushed.push(events);
    source.push(events);
  };
  /** The batch at which a task continues, by its store. */
  const position = (): number => Number(store.commits.at(-1)?.position ?? 0);
  const eventsIn = (from: number, to: number): number => pushed.slice(from, to).flat().length;

  let driver = await start();
  /** Where this run began. */
  let began = { batch: 0, commit: 0 };
  let discarded = 0;
  for (const step of steps) {
    switch (step.kind) {
      case "push":
        push(step.events);
        await driver.settle();
        break;
      case "commits":
        for (let n = 0; n < step.many; n += 1) push([-1, 0, 5, 20, 30, 40]);
        await driver.settle();
        break;
      case "pass":
        await driver.advanceBy(1_000);
        break;
      case "restart":
        await driver.stop();
        began = { batch: position(), commit: store.commits.length };
        discarded = 0;
        driver = await start();
        break;
      case "roll-back": {
        const commit = Math.max(store.commits.length - step.commits, 0);
        await store.restore(commit);
        const to = position();
        // It is noticed at the next commit; the pause before the task is opened again is no longer than this.
        push([61]);
        discarded += eventsIn(began.batch, pushed.length);
        if (commit <= began.commit) began = { batch: to, commit };
        discarded -= eventsIn(began.batch, to);
        await driver.advanceBy(120_000);
      }
    }
    const received = eventsIn(began.batch, pushed.length);
    const figures = reconcile(driver.stats());
    expect(figures).toMatchObject({ received, discarded, unaccounted: 0, uncommitted: 0 });
    const { decoded, malformed, blank, windowed, counted, late, refused } = figures;
    expect(decoded + malformed + blank).toBe(received);
    expect([decoded, counted + late + refused]).toEqual([windowed, windowed]);
  }
  const { tasks } = await driver.stop();
  expect(tasks).toMatchObject([{ phase: "ended", source: { read: eventsIn(began.batch, pushed.length) } }]);
}

describe("the figures of a run whose store is rolled back", () => {
  test("count each event once after any number of rollbacks", async () => {
    await fc.assert(fc.asyncProperty(fc.array(STEP, { maxLength: 25 }), play), { numRuns: 40 });
  });

  test.each([1, 31, 33, 64, 65, 300, 500, 600])(
    "are right after a rollback of %d commits",
    async (commits) => {
      await play([
        { kind: "commits", many: 550 },
        { kind: "roll-back", commits },
        { kind: "push", events: [7, 8, -1] },
        { kind: "pass" },
        { kind: "roll-back", commits: Math.floor(commits / 2) },
      ]);
    },
  );

  test("include nothing from before the run if the store is rolled back to before its start", async () => {
    await play([
      { kind: "commits", many: 20 },
      { kind: "restart" },
      { kind: "commits", many: 5 },
      { kind: "roll-back", commits: 15 },
      { kind: "commits", many: 5 },
      { kind: "roll-back", commits: 2 },
      { kind: "roll-back", commits: 500 },
    ]);
  });

  test("are those of the rolled-back state if the run is stopped before it has loaded it", async () => {
    const store = new RestorableStore({ flow: FLOW, part: "testing" });
    const source = new TestingSource<number>();
    const options = { store, commitEveryEvents: 1, logger: SILENT_LOGGER };
    const driver = await FlowDriver.start(flowOf(source, store), options);
    for (const n of [1, 2, 3, 4]) source.push([n]);
    await driver.settle();
    // The second time there is a pause before the task is opened again.
    for (const commit of [4, 3]) {
      await store.restore(commit);
      source.push([5]);
      await driver.settle();
    }
    expect(driver.stats().tasks).toMatchObject([{ phase: "reloading" }]);
    expect(reconcile(await driver.stop())).toMatchObject({ received: 2, windowed: 2, unaccounted: 0 });
  });

  test("take a few hundred bytes in each commit, also in a long run", async () => {
    const store = new RestorableStore({ flow: FLOW, part: "testing" });
    const source = new TestingSource<number>();
    const driver = await FlowDriver.start(flowOf(source, store), { store, commitEveryEvents: 1 });
    for (let n = 0; n < 1_000; n += 1) source.push([n]);
    await driver.stop();
    expect(Math.max(...store.commits.map(({ counts }) => JSON.stringify(counts).length))).toBeLessThan(300);
  });
});

describe("the figures of a task that fails", () => {
  test("are those of its last commit; the next owner counts what was read after it", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<number>();
    const simple = (): Dataflow => {
      const flow = new Dataflow(FLOW);
      flow
        .input("in", source)
        .keyBy("key", () => "all")
        .window("w", tumbling(3_600_000), systemTime())
        .count("n")
        .output("out", new TestingSink());
      return flow;
    };
    const first = await FlowDriver.start(simple(), { store, commitEveryMs: 1_000 });
    source.push([1, 2, 3]);
    await first.advanceBy(1_000);
    source.push([4, 5]);
    await first.settle();
    expect(reconcile(first.stats())).toMatchObject({ received: 5, counted: 5, uncommitted: 0 });
    const second = await FlowDriver.start(simple(), { store, commitEveryMs: 1_000 });
    await first.advanceBy(1_000);
    await expect(first.done).rejects.toMatchObject({ code: "MILLRACE_FENCED" });
    source.push([6]);
    await second.settle();
    const [one, other] = [first, second].map((driver) => reconcile(driver.stats()));
    expect(one).toMatchObject({ received: 3, windowed: 3, counted: 3, uncommitted: 2, unaccounted: 0 });
    expect(other).toMatchObject({ received: 3, windowed: 3, counted: 3, uncommitted: 0, unaccounted: 0 });
    await second.stop();
  });

  test("without a store are all that it counted", async () => {
    const source = new TestingSource<number>();
    const flow = new Dataflow(FLOW);
    flow.input("in", source).output("out", new TestingSink());
    const driver = await FlowDriver.start(flow);
    source.push([1, 2]);
    await driver.settle();
    source.fail(new Error("gone"));
    await expect(driver.done).rejects.toThrow("gone");
    expect(reconcile(driver.stats())).toMatchObject({ received: 2, uncommitted: 0, unaccounted: 0 });
  });
});

test("the lag is that of the last message when it was read, and 0 once nothing is left to read", async () => {
  const source = new TestingSource<number>();
  const flow = new Dataflow(FLOW);
  flow
    .input("in", source)
    .keyBy("by", String)
    .window("w", tumbling(10_000), eventTime(Number, { wait: 0 }))
    .count("n")
    .output("out", new TestingSink());
  const driver = await FlowDriver.start(flow, { startAt: 5_000 });
  const lag = (): number | undefined => driver.stats().tasks[0]?.lagMs;
  expect(lag()).toBeUndefined();
  source.push([1_000, 4_700], { times: [1_000, 4_700] });
  await driver.settle();
  expect(lag()).toBe(300);
  source.pause();
  await driver.advanceBy(3_000);
  expect(lag()).toBe(300);
  source.push([6_000], { times: [6_000] });
  source.resume();
  await driver.settle();
  expect(lag()).toBe(2_000);
  // The window is due, and the source is asked whether there is more.
  await driver.advanceBy(10_000);
  expect(lag()).toBe(0);
  await driver.stop();
});
