import { describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore, SYSTEM_TIME, reconcile, start } from "@millrace/dataflow";
import type { Commit, Logger, Sink } from "@millrace/dataflow";
import {
  CrashingStore,
  FlowDriver,
  TestingSink,
  TestingSource,
  VirtualTime,
} from "@millrace/dataflow/testing";
import { eventTime, messageTime, systemTime, tumbling } from "@millrace/windowing";
import type { Clock } from "@millrace/windowing";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const START = 1_800_000_000_000;

type Row = readonly [close: number, value: number];

interface Event {
  readonly at: number;
}

function loggerOf(lines: object[]): Logger {
  const quiet = (): void => undefined;
  return { debug: quiet, info: quiet, warn: (fields) => lines.push(fields), error: quiet };
}

async function counting(clock: Clock<Event>) {
  const source = new TestingSource<Event>();
  const out = new TestingSink<Row>();
  const lines: object[] = [];
  const flow = new Dataflow("clock");
  flow
    .input("in", source)
    .keyBy("key", () => "all")
    .window("per_minute", tumbling(MINUTE), clock)
    .count("count")
    .map("row", ({ window, value }): Row => [window.close, value])
    .output("out", out);
  const commits: Commit[] = [];
  const store = new CrashingStore(new MemoryStore(), (commit) => {
    commits.push(commit);
    return undefined;
  });
  const driver = await FlowDriver.start(flow, { startAt: START, store, logger: loggerOf(lines) });
  return {
    driver,
    source,
    out,
    commits,
    steps: () => lines.filter((line) => "byMs" in line),
    refusals: () => lines.filter((line) => "event" in line && line.event === "events-refused").length,
  };
}

describe("the system clock is set while a flow runs", () => {
  test("back, windows on the system clock: time continues evenly, and one line is logged", async () => {
    const { driver, source, out, steps } = await counting(systemTime());
    source.push([{ at: 0 }]);
    await driver.advanceBy(10_000);
    driver.time.stepWall(-HOUR);
    source.push([{ at: 0 }]);
    await driver.advanceBy(49_999);
    expect(out.rows).toEqual([]);
    await driver.advanceBy(1);
    expect(out.rows).toEqual([[START + MINUTE, 2]]);
    expect(steps()).toMatchObject([{ event: "clock-set", byMs: -HOUR, aheadMs: HOUR }]);
    await driver.stop();
  });

  test("forward, windows on the system clock: the open one closes at once", async () => {
    const { driver, source, out, steps } = await counting(systemTime());
    source.push([{ at: 0 }]);
    await driver.advanceBy(10_000);
    driver.time.stepWall(HOUR);
    await driver.settle();
    expect(out.rows).toEqual([[START + MINUTE, 1]]);
    expect(steps()).toMatchObject([{ event: "clock-set", byMs: HOUR, aheadMs: 0 }]);
    await driver.stop();
  });

  test.each([-HOUR, HOUR])(
    "by %d ms, windows on the publishers' clock: an event counts at its publish time",
    async (byMs) => {
      const { driver, source, out } = await counting(messageTime({ wait: 1_000 }));
      source.push([{ at: 0 }], { times: [START] });
      await driver.settle();
      driver.time.stepWall(byMs);
      source.push([{ at: 0 }], { times: [START + 30_000] });
      await driver.settle();
      expect(reconcile(driver.stats())).toMatchObject({ counted: 2, late: 0 });
      await driver.advanceBy(2 * MINUTE);
      expect(out.rows).toEqual([[START + MINUTE, 2]]);
      await driver.stop();
    },
  );

  test.each([-HOUR, HOUR])(
    "by %d ms, windows on event time: a partition with nothing to read closes them in time",
    async (byMs) => {
      const { driver, source, out } = await counting(eventTime<Event>(({ at }) => at, { wait: 1_000 }));
      source.push([{ at: START }]);
      await driver.settle();
      driver.time.stepWall(byMs);
      await driver.advanceBy(MINUTE);
      expect(out.rows).toEqual([]);
      await driver.advanceBy(1_000);
      expect(out.rows).toEqual([[START + MINUTE, 1]]);
      await driver.stop();
    },
  );

  test("back: commits are made at their interval", async () => {
    const { driver, source, commits } = await counting(systemTime());
    source.push([{ at: 0 }]);
    await driver.settle();
    driver.time.stepWall(-HOUR);
    const before = commits.length;
    for (let second = 0; second < 5; second += 1) {
      source.push([{ at: 0 }]);
      await driver.advanceBy(1_000);
    }
    expect(commits.length - before).toBe(5);
    await driver.stop();
  });

  test("forward, without windows: the log does not mention windows", async () => {
    const flow = new Dataflow("lines");
    flow.input("in", new TestingSource()).output("out", new TestingSink());
    const said: string[] = [];
    const logger: Logger = { ...loggerOf([]), warn: (_fields, message) => said.push(message) };
    const driver = await FlowDriver.start(flow, { startAt: START, logger });
    driver.time.stepWall(HOUR);
    driver.time.now();
    expect(said).toEqual(["the system's clock was set forward by 3600000 ms: time continues from there"]);
    await driver.stop();
  });

  test.each([-HOUR, HOUR])("by %d ms: an idle run ends at its time", async (byMs) => {
    const source = new TestingSource<Event>();
    const flow = new Dataflow("idle");
    flow.input("in", source).output("out", new TestingSink());
    const options = { startAt: START, exitWhenIdleMs: 10_000, logger: loggerOf([]) };
    const driver = await FlowDriver.start(flow, options);
    source.push([{ at: 0 }]);
    await driver.advanceBy(5_000);
    driver.time.stepWall(byMs);
    await driver.advanceBy(5_000);
    expect(driver.stats().tasks).toMatchObject([{ phase: "waiting" }]);
    // Events that came are no reason to ask for a proof at once: it begins to count a moment later.
    await driver.advanceBy(50);
    expect(driver.stats().tasks).toMatchObject([{ phase: "ended" }]);
    await driver.done;
  });

  test("forward: no commit is early, and no batch is measured longer", async () => {
    const { driver, source, commits } = await counting(eventTime<Event>(({ at }) => at, { wait: 0 }));
    const before = commits.length;
    source.push([{ at: START }]);
    await driver.settle();
    driver.time.stepWall(HOUR);
    await driver.advanceBy(999);
    expect(commits.length).toBe(before);
    await driver.advanceBy(1);
    expect(commits.length).toBe(before + 1);
    expect(driver.stats().tasks).toMatchObject([{ longestBatchMs: 0 }]);
    await driver.stop();
  });

  test.each([-HOUR, HOUR])("by %d ms: refused events are logged once a minute", async (byMs) => {
    const { driver, source, refusals } = await counting(eventTime<Event>(({ at }) => at, { wait: 0 }));
    const refused = { at: START + 1_000 * HOUR };
    source.push([refused]);
    await driver.settle();
    driver.time.stepWall(byMs);
    source.push([refused]);
    await driver.advanceBy(MINUTE - 1);
    expect(refusals()).toBe(1);
    await driver.advanceBy(1);
    source.push([refused]);
    await driver.settle();
    expect(refusals()).toBe(2);
    await driver.stop();
  });

  test.each([-HOUR, HOUR])("by %d ms: the deadline of a stop does not change", async (byMs) => {
    const time = new VirtualTime(START);
    const flow = new Dataflow("stuck");
    const none = (): Promise<void> => Promise.resolve();
    const never = new Promise<never>(() => undefined);
    const stuck: Sink<number> = {
      buildPart: () => Promise.resolve({ writeBatch: none, flush: none, close: () => never }),
    };
    const source = new TestingSource<number>();
    flow.input("in", source).output("out", stuck);
    const handle = start(flow, { time, drainTimeoutMs: 5_000, logger: loggerOf([]) });
    source.push([1]);
    while (handle.stats().tasks[0]?.phase !== "waiting") await time.yield();
    let over = false;
    const end = handle.stop().catch((error: unknown) => {
      over = true;
      return error;
    });
    await time.yield();
    time.stepWall(byMs);
    time.set(time.now() + 4_999);
    for (let turn = 0; turn < 5; turn += 1) await time.yield();
    expect(over).toBe(false);
    time.set(time.now() + 1);
    expect(await end).toMatchObject({ code: "MILLRACE_DRAIN_TIMEOUT" });
  });
});

describe("the system's time", () => {
  test("never goes back, and wakes at a time of day or after an interval", async () => {
    const [now, monotonic] = [SYSTEM_TIME.now(), SYSTEM_TIME.monotonic()];
    await new Promise<void>((resolve) => SYSTEM_TIME.wakeAfter(5, resolve));
    expect(SYSTEM_TIME.monotonic() - monotonic).toBeGreaterThanOrEqual(5);
    await new Promise<void>((resolve) => SYSTEM_TIME.wakeAt(now + 10, resolve));
    expect(SYSTEM_TIME.now()).toBeGreaterThanOrEqual(now + 10);
    expect(Number.isInteger(SYSTEM_TIME.now())).toBe(true);
  });
});
