import { describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore, reconcile, run } from "@millrace/dataflow";
import type { DeadLetter, Decoder, Sink, Source } from "@millrace/dataflow";
import {
  CrashingStore,
  FlowDriver,
  SimulatedCrash,
  TestingSink,
  TestingSource,
} from "@millrace/dataflow/testing";
import { eventTime, systemTime, tumbling } from "@millrace/windowing";
import type { Clock } from "@millrace/windowing";
import { withParts } from "./support/with-parts.ts";

interface Click {
  readonly zone: string;
  readonly mobile: number;
  readonly at: number;
}

const decoder: Decoder<string, Click> = {
  decode(raw) {
    if (raw.trim() === "") return { kind: "blank" };
    const [zone = "", mobile = "", at = ""] = raw.split(" ");
    if (at === "")
      return { kind: "malformed", reason: { code: "wrong-shape", message: "three words wanted" } };
    return { kind: "event", event: { zone, mobile: Number(mobile), at: Number(at) } };
  },
};

type Row = readonly [zone: string, mobile: number, cause: string];

/** Mobile clicks per zone in windows of 5 s. */
function mobileCounts(
  source: Source<string>,
  out: Sink<Row>,
  clock: Clock<unknown> | Clock<Click> = systemTime(),
  deadLetter: Sink<DeadLetter> = new TestingSink(),
): Dataflow {
  const flow = new Dataflow("mobile_counts", { deadLetter });
  flow
    .input("clicks", source)
    .decode("decode", decoder)
    .keyBy("zone", "zone")
    .window("per_5s", tumbling(5_000), clock)
    .reduce(
      "mobile",
      (click) => click.mobile,
      (a, b) => a + b,
    )
    .map("report", ({ key, value, cause }): Row => [key, value, cause])
    .output("out", out);
  return flow;
}

const eventClock = (): Clock<Click> => eventTime<Click>(({ at }) => at, { wait: 1_000 });
const sorted = (rows: readonly Row[]): readonly Row[] => [...rows].sort((a, b) => a[0].localeCompare(b[0]));

describe("windows on the system clock", () => {
  test("close when their time is over, without another event", async () => {
    const source = new TestingSource<string>();
    const out = new TestingSink<Row>();
    const driver = await FlowDriver.start(mobileCounts(source, out), { startAt: 12_000 });
    source.push(["Madrid 1 0", "Berlin 0 0", "Madrid 1 0"]);
    await driver.advanceTo(14_999);
    expect(out.take()).toEqual([]);
    await driver.advanceTo(15_000);
    expect(sorted(out.take())).toEqual([
      ["Berlin", 0, "watermark"],
      ["Madrid", 2, "watermark"],
    ]);
    await driver.stop();
    expect(out.take()).toEqual([]);
  });

  test("are emitted with their own cause when a worker stops without a store", async () => {
    const source = new TestingSource<string>();
    const out = new TestingSink<Row>();
    const driver = await FlowDriver.start(mobileCounts(source, out));
    source.push(["Madrid 1 0"]);
    await driver.settle();
    await driver.stop();
    expect(out.take()).toEqual([["Madrid", 1, "drain"]]);
  });

  test("are accounted for by the kind of their steps, for any operator names", async () => {
    const source = new TestingSource<string>();
    source.push(["Madrid 1 0", "", "nonsense", "Madrid 0 0"]);
    source.end();
    const stats = await run(mobileCounts(source, new TestingSink<Row>()));
    const renamed = stats.tasks.map((task) => ({
      ...task,
      steps: task.steps.map((step) => ({ ...step, operator: "renamed" })),
    }));
    const account = reconcile({ ...stats, tasks: renamed });
    expect(account).toEqual(reconcile(stats));
    expect(account).toMatchObject({ decoded: 2, windowed: 2, unaccounted: 0 });
  });

  test("close at the end of the input, and every event is accounted for", async () => {
    const source = new TestingSource<string>();
    const out = new TestingSink<Row>();
    const letters = new TestingSink<DeadLetter>();
    source.push(["Madrid 1 0", "", "nonsense", "Madrid 0 0"]);
    source.end();
    const stats = await run(mobileCounts(source, out, systemTime(), letters));
    expect(out.rows).toEqual([["Madrid", 1, "end"]]);
    expect(letters.rows).toEqual([
      {
        step: "decode",
        part: "testing",
        reason: { code: "wrong-shape", message: "three words wanted" },
        payload: "nonsense",
      },
    ]);
    expect(reconcile(stats)).toMatchObject({
      received: 4,
      decoded: 2,
      blank: 1,
      malformed: 1,
      windowed: 2,
      counted: 2,
      late: 0,
      lost: 0,
      unaccounted: 0,
    });
  });
});

describe("windows on event time", () => {
  test("follow system time only while the partition is proved drained", async () => {
    const source = new TestingSource<string>();
    const out = new TestingSink<Row>();
    const driver = await FlowDriver.start(mobileCounts(source, out, eventClock()), { startAt: 4_000 });
    source.push(["Madrid 1 4000"]);
    await driver.settle();
    // The watermark is 3000 at system time 4000, so it reaches 5000 at system time 6000.
    await driver.advanceTo(5_999);
    expect(out.take()).toEqual([]);
    await driver.advanceTo(6_000);
    expect(out.take()).toEqual([["Madrid", 1, "watermark"]]);
    await driver.stop();
  });

  test("do not close while the source is disconnected, so a punctual event is not late", async () => {
    const source = new TestingSource<string>();
    const out = new TestingSink<Row>();
    const driver = await FlowDriver.start(mobileCounts(source, out, eventClock()), { startAt: 4_000 });
    source.push(["Madrid 1 4000"]);
    await driver.settle();
    source.pause();
    await driver.advanceTo(60_000);
    expect(out.take()).toEqual([]);
    source.push(["Madrid 1 4500"]);
    source.resume();
    await driver.settle();
    await driver.advanceTo(70_000);
    expect(out.take()).toEqual([["Madrid", 2, "watermark"]]);
    await driver.stop();
  });
});

describe("ending an idle run", () => {
  test("waits for a first event, then for the whole idle time without an event", async () => {
    const source = new TestingSource<string>();
    const out = new TestingSink<Row>();
    const driver = await FlowDriver.start(mobileCounts(source, out), { exitWhenIdleMs: 3_000 });
    await driver.advanceTo(60_000);
    expect(driver.stats().tasks[0]?.phase).toBe("waiting");
    source.push(["Madrid 1 0"]);
    await driver.advanceTo(62_000);
    source.push(["Madrid 1 0"]);
    await driver.advanceTo(64_000);
    source.pause();
    source.resume();
    await driver.advanceTo(64_999);
    expect(driver.stats().tasks[0]?.phase).toBe("waiting");
    await driver.advanceTo(70_000);
    expect(driver.stats().tasks[0]?.phase).toBe("ended");
    expect(out.rows.map(([, count]) => count)).toEqual([2]);
    await driver.done;
  });

  test("ends no partition before all are idle", async () => {
    const source = new TestingSource<string>({
      parts: ["0", "1"],
      partitioning: { kind: "by", field: "zone" },
    });
    const out = new TestingSink<Row>();
    const driver = await FlowDriver.start(mobileCounts(source, out), { exitWhenIdleMs: 3_000 });
    source.push(["Madrid 1 0"], { part: "0" });
    source.push(["Berlin 1 0"], { part: "1" });
    await driver.advanceTo(2_000);
    source.push(["Berlin 1 0"], { part: "1" });
    await driver.advanceTo(4_000);
    expect(driver.stats().tasks.map(({ phase }) => phase)).toEqual(["waiting", "waiting"]);
    await driver.advanceTo(5_100);
    await driver.done;
    expect(sorted(out.rows)).toEqual([
      ["Berlin", 2, "watermark"],
      ["Madrid", 1, "watermark"],
    ]);
  });
});

describe("recovery through a store", () => {
  const lines = [
    "Madrid 1 1000",
    "Berlin 1 2000",
    "Madrid 1 3000",
    "Madrid 1 7000",
    "Berlin 1 8000",
    "Madrid 1 20000",
  ];

  test("continues from the last commit, with open windows", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<string>();
    const first = new TestingSink<Row>();
    const driver = await FlowDriver.start(mobileCounts(source, first, eventClock()), {
      store,
      startAt: 3_000,
    });
    for (const line of lines.slice(0, 3)) source.push([line]);
    await driver.settle();
    await driver.stop();
    expect(first.rows).toEqual([]);

    const second = new TestingSink<Row>();
    const resumed = await FlowDriver.start(mobileCounts(source, second, eventClock()), {
      store,
      startAt: 8_000,
    });
    for (const line of lines.slice(3)) source.push([line]);
    source.end();
    await resumed.done;
    expect(sorted(second.rows)).toEqual([
      ["Berlin", 1, "watermark"],
      ["Berlin", 1, "watermark"],
      ["Madrid", 2, "watermark"],
      ["Madrid", 1, "watermark"],
      ["Madrid", 1, "end"],
    ]);
  });

  test.each(["before", "after"] as const)(
    "a crash %s any commit changes no committed result",
    async (point) => {
      for (let fatal = 1; fatal <= lines.length; fatal++) {
        const store = new MemoryStore();
        const source = new TestingSource<string>();
        for (const line of lines) source.push([line]);
        source.end();
        const crashing = new CrashingStore(store, ({ number }) => (number === fatal ? point : undefined));
        const options = { commitEveryEvents: 1 };
        const out = new TestingSink<Row>();
        await expect(
          run(mobileCounts(source, out, eventClock()), { ...options, store: crashing }),
        ).rejects.toThrow(SimulatedCrash);
        await run(mobileCounts(source, out, eventClock()), { ...options, store });
        // Rows of the batch that was cut short may come twice: this sink is at least once. None is missing or differs.
        const distinct = [...new Set(out.rows.map((row) => JSON.stringify(row)))].sort();
        expect(distinct).toEqual(
          [
            ["Berlin", 1, "watermark"],
            ["Madrid", 1, "end"],
            ["Madrid", 1, "watermark"],
            ["Madrid", 2, "watermark"],
          ].map((row) => JSON.stringify(row)),
        );
      }
    },
  );

  test("state of a different flow is refused", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<string>();
    source.push(["Madrid 1 1000"]);
    const driver = await FlowDriver.start(mobileCounts(source, new TestingSink()), { store });
    await driver.stop();
    const other = new Dataflow("mobile_counts", { version: 2 });
    other.input("clicks", source).output("out", new TestingSink());
    await expect(run(other, { store })).rejects.toMatchObject({ code: "MILLRACE_STATE_MISMATCH" });
  });

  test("an owner that was replaced stops at its next commit", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<string>();
    const old = await FlowDriver.start(mobileCounts(source, new TestingSink()), {
      store,
      commitEveryEvents: 1,
    });
    await store.acquire({ flow: "mobile_counts", part: "testing" });
    source.push(["Madrid 1 1000"]);
    await old.settle();
    await expect(old.done).rejects.toMatchObject({ code: "MILLRACE_FENCED" });
  });
});

test("a source that fails ends the run with its error, and the sinks are closed", async () => {
  const source = new TestingSource<string>();
  let closed = 0;
  const out: Sink<Row> = {
    buildPart: () =>
      Promise.resolve({
        writeBatch: () => Promise.resolve(),
        flush: () => Promise.resolve(),
        close: () => {
          closed += 1;
          return Promise.resolve();
        },
      }),
  };
  const driver = await FlowDriver.start(mobileCounts(source, out));
  source.fail(new Error("cable cut"));
  await driver.settle();
  await expect(driver.done).rejects.toThrow("cable cut");
  expect(closed).toBe(1);
});

test("a proof of drained that is outdated by events does not put the task to sleep", async () => {
  const inner = new TestingSource<string>();
  const answers: (() => void)[] = [];
  /** Answers a probe only when the test says so. */
  const source = withParts(inner, (opened, _resume, { time }) => ({
    drained: () =>
      new Promise((resolve) => {
        const sent = opened.snapshot();
        answers.push(() => {
          resolve(opened.snapshot() === sent ? { at: time.now(), connection: 1 } : undefined);
        });
      }),
  }));
  const out = new TestingSink<Row>();
  const driver = await FlowDriver.start(mobileCounts(source, out, eventClock()), { startAt: 4_000 });
  inner.push(["Madrid 1 4000"]);
  await driver.advanceTo(6_000);
  inner.push(["Madrid 1 3900"]);
  await driver.settle();
  answers.shift()?.();
  await driver.settle();
  answers.shift()?.();
  await driver.settle();
  expect(out.rows).toEqual([["Madrid", 2, "watermark"]]);
  await driver.stop();
});

test("a function that throws in a window step is named with its event", async () => {
  const source = new TestingSource<string>();
  const flow = new Dataflow("failing");
  flow
    .input("in", source)
    .keyBy("all", () => "all")
    .window("w", tumbling(5), systemTime())
    .sum("sum", (text) => {
      if (text === "bad") throw new Error("not a number");
      return text.length;
    })
    .output("out", new TestingSink());
  source.push(["good", "bad", "good"]);
  source.end();
  await expect(run(flow)).rejects.toThrow('step "w.sum", partition "testing": not a number (event: bad)');
});
