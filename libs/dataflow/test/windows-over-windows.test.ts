import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Dataflow, IterableSource, MemoryStore, reconcile } from "@millrace/dataflow";
import type { Source, WindowOptions } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import {
  count,
  eventTime,
  messageTime,
  session,
  sliding,
  sum,
  systemTime,
  tumbling,
  windowTime,
} from "@millrace/windowing";
import type { Clock, WindowResult, Windower } from "@millrace/windowing";

interface Order {
  readonly shop: string;
  readonly amount: number;
  readonly at: number;
}

/** Shop, when the window opened, sum of the sums, number of the sums, cause. */
type Row = readonly [shop: string, open: number, total: number, sums: number, cause: string];

interface Shape {
  readonly inner?: Windower;
  readonly outer?: Windower;
  readonly options?: WindowOptions<Order>;
  readonly clock?: Clock<WindowResult<number>>;
  readonly innerClock?: Clock<Order>;
  /** Whether an async step lies between the two. */
  readonly pause?: boolean;
}

class Job {
  readonly source = new TestingSource<Order>();
  readonly rows = new TestingSink<Row>();
  readonly sums = new TestingSink<WindowResult<number>>();
  readonly late = new TestingSink<unknown>();
  readonly flow: Dataflow;

  /** Sums in small windows, and the sum of those in large ones. */
  constructor(shape: Shape = {}, source: Source<Order> = this.source) {
    const { inner = tumbling(5), outer = tumbling(20), options = {}, clock = windowTime() } = shape;
    const { innerClock = eventTime<Order>(({ at }) => at, { wait: 2, maxFuture: "unbounded" }) } = shape;
    this.flow = new Dataflow("totals");
    const sums = this.flow
      .input("orders", source)
      .keyBy("shop")
      .window("small", inner, innerClock, { pageSize: 2, ...options })
      .sum(({ amount }) => amount);
    sums.output("sums", this.sums);
    const large = (shape.pause === true ? sums.mapAsync("pause", (result) => Promise.resolve(result)) : sums)
      .window("large", outer, clock, { pageSize: 2 })
      .aggregate({ total: sum(({ value }: WindowResult<number>) => value), sums: count() });
    large
      .map(({ key, window, value, cause }): Row => [key, window.open, value.total, value.sums, cause])
      .output("out", this.rows);
    large.late.output("late", this.late);
  }
}

const order = (shop: string, amount: number, at: number): Order => ({ shop, amount, at });

/** What the rows must be, from the sums alone. */
function expected(sums: readonly WindowResult<number>[]): readonly string[] {
  const totals = new Map<string, readonly [number, number]>();
  for (const { key, value, window } of sums) {
    const name = `${key} ${Math.floor((window.close - 1) / 20) * 20}`;
    const [total, many] = totals.get(name) ?? [0, 0];
    totals.set(name, [total + value, many + 1]);
  }
  return [...totals].map(([name, [total, many]]) => `${name} ${total} ${many}`).sort();
}

const found = (rows: readonly Row[]): readonly string[] =>
  rows.map(([key, open, total, sums]) => `${key} ${open} ${total} ${sums}`).sort();

describe("windows over results of windows", () => {
  test("close when all results that belong to them are emitted, and not before", async () => {
    const job = new Job();
    const driver = await FlowDriver.start(job.flow, { startAt: 100 });
    job.source.push([order("a", 1, 1), order("a", 2, 6), order("a", 4, 19), order("a", 8, 21)]);
    await driver.settle();
    // The watermark is 19 since 100: the small window to 20 is open.
    expect(job.rows.rows).toEqual([]);
    await driver.advanceTo(101);
    expect(job.rows.take()).toEqual([["a", 0, 7, 3, "watermark"]]);
    await driver.advanceTo(120);
    expect(job.rows.rows).toEqual([]);
    await driver.advanceTo(121);
    expect(job.rows.take()).toEqual([["a", 20, 8, 1, "watermark"]]);
    const stats = await driver.stop();
    expect(job.late.rows).toEqual([]);
    expect(reconcile(stats)).toMatchObject({ received: 4, unaccounted: 0 });
  });

  test("close under a constant load of events", async () => {
    const job = new Job();
    job.source.push(Array.from({ length: 100 }, (_, i) => order("a", 1, i)));
    const driver = await FlowDriver.start(job.flow);
    expect(job.rows.rows.map(([, open]) => open)).toEqual([0, 20, 40, 60]);
    await driver.stop();
  });

  test("close at the end of the input for that reason", async () => {
    const job = new Job();
    job.source.push([order("a", 1, 1), order("a", 2, 26)]);
    job.source.end();
    await (
      await FlowDriver.start(job.flow)
    ).done;
    expect(job.rows.rows).toEqual([
      ["a", 0, 1, 1, "watermark"],
      ["a", 20, 2, 1, "end"],
    ]);
  });

  const inners: fc.Arbitrary<Windower> = fc.oneof(
    fc.integer({ min: 1, max: 30 }).map((length) => tumbling(length)),
    fc.integer({ min: 1, max: 10 }).map((every) => sliding(every * 2, { every })),
    fc.integer({ min: 1, max: 12 }).map((gap) => session(gap)),
  );
  const orders = fc.record({ shop: fc.constantFrom("a", "b", "c"), amount: fc.nat(9), at: fc.nat(120) });
  const steps = fc.array(fc.oneof(fc.array(orders, { maxLength: 6 }), fc.integer({ min: 1, max: 40 })));

  test("count each result once, for any windows, pages and pauses, and none is late", async () => {
    await fc.assert(
      fc.asyncProperty(inners, steps, fc.boolean(), fc.boolean(), async (inner, script, pause, ends) => {
        const job = new Job({ inner, pause });
        const driver = await FlowDriver.start(job.flow, { startAt: 1_000 });
        for (const step of script) {
          if (typeof step === "number") await driver.advanceBy(step);
          else {
            job.source.push(step);
            await driver.settle();
          }
        }
        if (ends) job.source.end();
        else await driver.advanceBy(1_000);
        await (ends ? driver.done : driver.stop());
        expect(found(job.rows.rows)).toEqual(expected(job.sums.rows));
        expect(job.late.rows).toEqual([]);
        if (!ends) expect(job.rows.rows.every(([, , , , cause]) => cause === "watermark")).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test("continue after a crash without a difference", async () => {
    const orders = Array.from({ length: 60 }, (_, i) => order(i % 3 === 0 ? "a" : "b", i, i));
    const store = new MemoryStore();
    const source = new TestingSource<Order>();
    const runs: Job[] = [];
    for (const upTo of [31, 60]) {
      const job = new Job({}, source);
      runs.push(job);
      source.push(orders.slice(upTo === 31 ? 0 : 31, upTo));
      const driver = await FlowDriver.start(job.flow, { store, startAt: 500 * runs.length });
      if (runs.length === 2) await driver.advanceBy(100);
      await driver.stop();
    }
    const all = <T>(of: (job: Job) => readonly T[]): readonly T[] => runs.flatMap(of);
    expect(found(all(({ rows }) => rows.rows))).toEqual(expected(all(({ sums }) => sums.rows)));
    expect(all(({ rows }) => rows.rows).length).toBe(6);
  });

  test("emit early results at an idle end, from final results only", async () => {
    const job = new Job({ inner: tumbling("5s"), outer: tumbling("20s") });
    const driver = await FlowDriver.start(job.flow, { store: new MemoryStore(), exitWhenIdleMs: 1_000 });
    job.source.push([order("a", 1, 1_000), order("a", 2, 6_000), order("a", 4, 12_000)]);
    await driver.settle();
    await driver.advanceTo(3_000);
    await driver.done;
    expect(job.rows.rows).toEqual([["a", 0, 3, 2, "early"]]);
  });

  test("follow windows on the system clock, too", async () => {
    const job = new Job({ innerClock: systemTime() });
    const driver = await FlowDriver.start(job.flow, { startAt: 3 });
    job.source.push([order("a", 1, 0)]);
    await driver.advanceTo(7);
    job.source.push([order("a", 2, 0)]);
    await driver.advanceTo(19);
    expect(job.rows.rows).toEqual([]);
    await driver.advanceTo(20);
    expect(job.rows.rows).toEqual([["a", 0, 3, 2, "watermark"]]);
    await driver.stop();
  });

  test("may use another timestamp of the results, with a wait", async () => {
    const job = new Job({ clock: eventTime(({ window }) => window.open, { wait: 5 }) });
    const driver = await FlowDriver.start(job.flow);
    job.source.push([order("a", 1, 18), order("a", 2, 26), order("a", 4, 33)]);
    await driver.settle();
    expect(job.rows.rows).toEqual([["a", 0, 1, 1, "watermark"]]);
    await driver.stop();
    expect(job.late.rows).toEqual([]);
  });
});

describe("refused are windows over results", () => {
  test.each<[string, Shape, RegExp]>([
    ["that early rows go before", { options: { earlyEvery: 5 } }, /"large".*"small", which has.*earlyEvery/],
    ["that revisions follow", { options: { allowedLateness: "1s" } }, /allowedLateness/],
    ["of which each key has its own time", { options: { timeModel: "perKey" } }, /timeModel "perKey"/],
    [
      "by the time of a message, which results do not have",
      { clock: messageTime({ wait: 0 }) },
      /use windowTime\(\)/,
    ],
  ])("%s", (_, shape, why) => {
    expect(() => new Job(shape)).toThrow(why);
  });

  test("of a stream that has other events too", () => {
    const flow = new Dataflow("mixed");
    const orders = flow.input("orders", new TestingSource<Order>()).keyBy("shop");
    const sums = orders
      .window("small", tumbling(5), eventTime("at", { wait: 0 }))
      .sum(({ amount }) => amount);
    const mixed = sums.map(({ window }) => window.close).merge(orders.map(({ at }) => at));
    expect(() =>
      mixed
        .keyBy(() => "all")
        .window(
          "large",
          tumbling(20),
          eventTime((at) => at, { wait: 0 }),
        )
        .count(),
    ).toThrow(/others are not/);
  });

  test("of a stream without results", () => {
    const results = new IterableSource<WindowResult<number>>([]);
    const stream = new Dataflow("none").input("in", results).keyBy("key");
    expect(() => stream.window("large", tumbling(20), windowTime()).count()).toThrow(
      /its events are not results/,
    );
  });
});
