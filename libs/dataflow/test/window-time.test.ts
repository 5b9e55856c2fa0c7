import { describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore, reconcile } from "@millrace/dataflow";
import type { Logger, Source } from "@millrace/dataflow";
import { CrashingStore, FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { eventTime, systemTime, tumbling } from "@millrace/windowing";
import type { Clock, Completeness } from "@millrace/windowing";

const HOUR = 3_600_000;
const START = 1_800_000_000_000;

interface Event {
  readonly at: number;
  readonly id: string;
}

type Row = readonly [close: number, value: number, complete: Completeness];

function countFlow(
  source: Source<Event>,
  out: TestingSink<Row>,
  clock: Clock<Event>,
  timeModel: "stream" | "perKey" = "stream",
): Dataflow {
  const flow = new Dataflow("time");
  flow
    .input("in", source)
    .keyBy("key", () => "all")
    .window("per_minute", tumbling(60_000), clock, { timeModel })
    .count("count")
    .map("row", ({ window, value, complete }): Row => [window.close, value, complete])
    .output("out", out);
  return flow;
}

const eventClock = (): Clock<Event> => eventTime<Event>(({ at }) => at, { wait: 5_000 });

interface Line {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

function loggerOf(lines: Line[]): Logger {
  const quiet = (): void => undefined;
  const warn = (fields: object, message: string): void => {
    lines.push({ fields: { ...fields }, message });
  };
  return { debug: quiet, info: quiet, warn, error: quiet };
}

describe.each(["stream", "perKey"] as const)("a worker that was stopped for 8 hours (%s)", (timeModel) => {
  test("counts a recording that continues after a restart as one without a restart", async () => {
    const source = new TestingSource<Event>();
    const out = new TestingSink<Row>();
    const store = new MemoryStore();
    let at = 0;
    const run = async (startAt: number): Promise<void> => {
      const flow = countFlow(source, out, eventClock(), timeModel);
      const driver = await FlowDriver.start(flow, { startAt, store });
      // The first probe comes before the first event.
      await driver.advanceBy(500);
      for (let i = 0; i < 200; i++, at += 1_000) {
        source.push([{ at, id: String(at) }]);
        await driver.advanceBy(1_000);
      }
      expect(reconcile(driver.stats())).toMatchObject({ counted: 200, late: 0 });
      await driver.stop();
    };
    await run(START);
    await run(START + 8 * HOUR);
    await run(START + 16 * HOUR);
    // Ten minutes of one event a second, of which the last is still open.
    expect(out.rows.map(([, value]) => value)).toEqual(Array.from({ length: 9 }, () => 60));
  });
});

describe("events from the future", () => {
  test("are refused, counted, and logged with their number, once a minute", async () => {
    const source = new TestingSource<Event>();
    const lines: Line[] = [];
    const driver = await FlowDriver.start(countFlow(source, new TestingSink(), eventClock()), {
      startAt: START,
      logger: loggerOf(lines),
    });
    const push = async (): Promise<void> => {
      source.push([
        { at: 4_102_444_800_000, id: "evil" },
        { at: START, id: "good" },
        { at: 4_102_444_800_001, id: "evil" },
      ]);
      await driver.settle();
    };
    await push();
    await push();
    await push();
    await driver.advanceBy(60_000);
    await push();
    expect(reconcile(driver.stats())).toMatchObject({ counted: 4, late: 0, refused: 8, unaccounted: 0 });
    const logged = lines.filter(({ fields }) => fields["event"] === "events-refused");
    expect(logged.map(({ fields }) => fields)).toMatchObject([
      {
        step: "per_minute.count",
        part: "testing",
        count: 2,
        reason: "future-timestamp",
        timestamp: 4_102_444_800_000,
        limit: START + 300_000,
      },
      { count: 6 },
    ]);
    await driver.stop();
  });

  test("neither pass a deduplication nor make it forget ids", async () => {
    const source = new TestingSource<Event>();
    const out = new TestingSink<Event>();
    const lines: Line[] = [];
    const flow = new Dataflow("dedup");
    flow
      .input("in", source)
      .keyBy("key", () => "all")
      .deduplicate("once", ({ id }) => id, { within: HOUR, at: ({ at }) => at })
      .dropKey()
      .output("out", out);
    const driver = await FlowDriver.start(flow, { startAt: START, logger: loggerOf(lines) });
    source.push([
      { at: START, id: "a" },
      { at: 4_102_444_800_000, id: "b" },
      { at: START + 1, id: "a" },
      { at: START + 2, id: "b" },
    ]);
    await driver.settle();
    expect(out.rows.map(({ id }) => id)).toEqual(["a", "b"]);
    const figures = driver.stats().tasks[0]?.steps.find(({ id }) => id === "once")?.figures;
    expect(figures).toMatchObject({ kept: 2, dropped: 1, refused: 1 });
    expect(lines.map(({ fields }) => fields)).toMatchObject([
      { event: "events-refused", step: "once", count: 1 },
    ]);
    await driver.stop();
  });
});

describe("a window on the system clock that waits for producers", () => {
  /** A source that reports up to when every producer was heard, as one with numbered frames does. */
  function heardSource(): { source: Source<Event>; testing: TestingSource<Event>; news: { at: number } } {
    const testing = new TestingSource<Event>();
    const news = { at: Number.NEGATIVE_INFINITY };
    const source: Source<Event> = {
      partitioning: testing.partitioning,
      listParts: () => testing.listParts(),
      buildPart: async (...given) =>
        Object.assign(await testing.buildPart(...given), {
          settledUpTo: () => news.at,
          completeness: (_: number, close: number): Completeness => (news.at >= close ? true : "unknown"),
        }),
    };
    return { source, testing, news };
  }

  test("is emitted on a message from the producer, even one without events", async () => {
    const { source, testing, news } = heardSource();
    const out = new TestingSink<Row>();
    const flow = countFlow(source, out, systemTime({ settle: 5_000 }));
    const driver = await FlowDriver.start(flow, { startAt: 10_000 });
    testing.push([{ at: 0, id: "a" }]);
    await driver.advanceTo(60_900);
    expect(out.take()).toEqual([]);
    news.at = 60_000;
    testing.push([]);
    await driver.settle();
    expect(out.take()).toEqual([[60_000, 1, true]]);
    await driver.stop();
  });

  test("detects within a second what no message reported", async () => {
    const { source, testing, news } = heardSource();
    const out = new TestingSink<Row>();
    const flow = countFlow(source, out, systemTime({ settle: 60_000 }));
    const driver = await FlowDriver.start(flow, { startAt: 10_000 });
    testing.push([{ at: 0, id: "a" }]);
    await driver.advanceTo(62_500);
    news.at = 60_000;
    await driver.advanceTo(63_000);
    expect(out.take()).toEqual([[60_000, 1, true]]);
    await driver.stop();
  });

  test("is emitted after its maximum wait", async () => {
    const { source, testing } = heardSource();
    const out = new TestingSink<Row>();
    const flow = countFlow(source, out, systemTime({ settle: 5_000 }));
    const driver = await FlowDriver.start(flow, { startAt: 10_000 });
    testing.push([{ at: 0, id: "a" }]);
    await driver.advanceTo(64_999);
    expect(out.take()).toEqual([]);
    await driver.advanceTo(65_000);
    expect(out.take()).toEqual([[60_000, 1, "unknown"]]);
    await driver.stop();
  });
});

test("a commit has the time up to which all first results are visible", async () => {
  const source = new TestingSource<Event>();
  const watermarks: (number | null)[] = [];
  const store = new CrashingStore(new MemoryStore(), ({ watermark }) => {
    watermarks.push(watermark);
    return undefined;
  });
  const driver = await FlowDriver.start(countFlow(source, new TestingSink(), eventClock()), {
    startAt: START,
    store,
  });
  source.push([{ at: START, id: "a" }]);
  await driver.advanceBy(1_000);
  await driver.advanceBy(65_000);
  await driver.stop();
  expect(watermarks[0]).toBeNull();
  // 66 s after the event, of which 5 s are waited for others.
  // It continues to advance without events.
  expect(watermarks.at(-1)).toBe(START + 61_000);
});
