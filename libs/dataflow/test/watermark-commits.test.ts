import { describe, expect, test } from "@jest/globals";
import { Dataflow } from "@millrace/dataflow";
import type { Commit, Operator, OperatorFactory } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { eventTime, tumbling } from "@millrace/windowing";
import { notingStore } from "./support/noting-store.ts";
import { withParts } from "./support/with-parts.ts";

/** A step with a watermark: the time at which its partition was last proved drained, or the system's own. */
function watching(by: "drained" | "system"): OperatorFactory<number, number> {
  return (): Operator<number, number> => {
    let watermark = -Infinity;
    return {
      process(batch, now, out) {
        watermark = Math.max(watermark, now);
        out.emit(batch);
      },
      advance(now, drainedAt) {
        watermark = Math.max(watermark, (by === "system" ? now : drainedAt) ?? -Infinity);
      },
      watermark: () => watermark,
    };
  };
}

async function watched(
  step: OperatorFactory<number, number>,
  commitEveryMs?: number,
): Promise<{
  readonly driver: FlowDriver;
  readonly source: TestingSource<number>;
  readonly commits: Commit[];
  readonly probes: () => number;
}> {
  const inner = new TestingSource<number>();
  let probes = 0;
  const source = withParts(inner, (opened) => ({
    drained() {
      probes += 1;
      return opened.drained?.() ?? Promise.resolve(undefined);
    },
  }));
  const commits: Commit[] = [];
  const store = notingStore((commit) => commits.push(commit));
  const flow = new Dataflow("watched");
  flow.input("in", source).custom("step", step).output("out", new TestingSink());
  const options = commitEveryMs === undefined ? {} : { commitEveryMs };
  const driver = await FlowDriver.start(flow, { store, ...options });
  return { driver, source: inner, commits, probes: () => probes };
}

describe("the watermark of a partition that has nothing to read", () => {
  test.each(["drained", "system"] as const)("is committed once a second as it moves: by %s", async (by) => {
    const { driver, source, commits, probes } = await watched(watching(by));
    source.push([1]);
    await driver.settle();
    await driver.advanceTo(1_000);
    const before = commits.length;
    for (let second = 2; second <= 10; second += 1) {
      await driver.advanceTo(second * 1_000);
      expect(commits.at(-1)?.watermark).toBeGreaterThan((second - 1) * 1_000 - 1);
      expect(commits.at(-1)?.watermark).toBeLessThanOrEqual(second * 1_000);
    }
    expect(commits.length - before).toBe(9);
    expect(probes()).toBeLessThan(15);
    await driver.stop();
  });

  test.each([
    [100, 10],
    [5_000, 2],
  ])("is committed at most once in a commit interval: every %d ms", async (commitEveryMs, expected) => {
    const { driver, source, commits } = await watched(watching("drained"), commitEveryMs);
    source.push([1]);
    await driver.settle();
    await driver.advanceTo(5_000);
    const before = commits.length;
    await driver.advanceTo(15_000);
    expect(commits.length - before).toBe(expected);
    await driver.stop();
  });

  test("advances when only the source's position advances, as with heartbeats", async () => {
    const { driver, source, commits } = await watched(watching("drained"));
    source.push([1]);
    await driver.advanceTo(1_000);
    for (let second = 2; second <= 20; second += 1) {
      source.push([]);
      await driver.advanceTo(second * 1_000);
      expect(commits.at(-1)?.watermark).toBeGreaterThan((second - 3) * 1_000);
    }
    await driver.stop();
  });

  test("does not advance while the partition is disconnected, and causes no commits", async () => {
    const { driver, source, commits } = await watched(watching("drained"));
    source.push([1]);
    await driver.advanceTo(2_000);
    source.pause();
    await driver.advanceTo(4_000);
    const before = commits.length;
    await driver.advanceTo(60_000);
    expect(commits).toHaveLength(before);
    source.resume();
    await driver.advanceTo(62_000);
    expect(commits.at(-1)?.watermark).toBeGreaterThan(60_000);
    await driver.stop();
  });

  test("is not committed before the first event, or for flows without windows", async () => {
    const { driver, commits } = await watched(() => ({
      process: (batch, _now, out) => {
        out.emit(batch);
      },
    }));
    await driver.advanceTo(60_000);
    expect(commits).toHaveLength(1);
    expect(commits[0]?.watermark).toBeNull();
    await driver.stop();
  });
});

test("windows of a silent partition become final for a reader of its commits, as in a busy one", async () => {
  const source = new TestingSource<number>({ parts: ["busy", "silent"], partitioning: { kind: "single" } });
  const latest = new Map<string, number | null>();
  const store = notingStore(({ watermark }, { part }) => latest.set(part, watermark));
  const flow = new Dataflow("parts");
  flow
    .input("in", source)
    .keyBy("all", () => "all")
    .window(
      "w",
      tumbling(5_000),
      eventTime((at) => at, { wait: 1_000 }),
    )
    .count("n")
    .output("out", new TestingSink());
  const driver = await FlowDriver.start(flow, { store });
  source.push([0], { part: "silent" });
  for (let now = 0; now <= 30_000; now += 100) {
    source.push([now], { part: "busy" });
    await driver.advanceTo(now);
  }
  for (const part of ["busy", "silent"]) expect(latest.get(part)).toBeGreaterThanOrEqual(27_900);
  await driver.stop();
});

describe("while events come", () => {
  test("no commit is made for the watermark alone", async () => {
    const { driver, source, commits, probes } = await watched(watching("drained"));
    for (let event = 1; event <= 100; event += 1) {
      source.push([event]);
      await driver.advanceBy(100);
    }
    // One before the first event, then one a second.
    expect(commits.length).toBeLessThanOrEqual(11);
    expect(probes()).toBeLessThan(11);
    await driver.stop();
  });
});
