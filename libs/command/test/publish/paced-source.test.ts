import { describe, expect, test } from "@jest/globals";
import { Dataflow, IterableSource, SILENT_LOGGER } from "@millrace/dataflow";
import {
  FlowDriver,
  TestingSink,
  TestingSource,
  VirtualTime,
  sourceConformance,
} from "@millrace/dataflow/testing";
import { PacedSource } from "../../src/publish/paced-source.ts";

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

async function paced(
  events: readonly number[],
  rate: number,
): Promise<{ sink: TestingSink<number>; flow: FlowDriver }> {
  const sink = new TestingSink<number>();
  const flow = new Dataflow("paced");
  flow.input("in", new PacedSource(new IterableSource(events, { batchSize: 7 }), rate)).output("out", sink);
  return { sink, flow: await FlowDriver.start(flow) };
}

describe("PacedSource", () => {
  test("delivers the first event at once and the others at the rate", async () => {
    const { sink, flow } = await paced(numbers(1_000), 100);
    expect(sink.rows).toEqual([0]);
    await flow.advanceTo(1_000);
    expect(sink.rows.length).toBeGreaterThanOrEqual(98);
    expect(sink.rows.length).toBeLessThanOrEqual(101);
    await flow.advanceTo(5_000);
    expect(sink.rows.length).toBeGreaterThanOrEqual(498);
    expect(sink.rows.length).toBeLessThanOrEqual(501);
    expect(sink.rows).toEqual(numbers(sink.rows.length));
    await flow.stop();
  });

  test("a rate below one event per second works too", async () => {
    const { sink, flow } = await paced(numbers(3), 0.5);
    await flow.advanceTo(1_999);
    expect(sink.rows).toEqual([0]);
    await flow.advanceTo(2_000);
    expect(sink.rows).toEqual([0, 1]);
    await flow.stop();
  });

  test("ends when the input does", async () => {
    const { sink, flow } = await paced(numbers(10), 1_000);
    await flow.advanceTo(100);
    await flow.done;
    expect(sink.rows).toEqual(numbers(10));
  });

  test("catches up on a short delay only", async () => {
    const { sink, flow } = await paced(numbers(100_000), 100);
    flow.time.set(60_000);
    await flow.settle();
    expect(sink.rows.length).toBeLessThanOrEqual(102);
    await flow.stop();
  });

  test.each([-3_600_000, 3_600_000])("keeps its rate when the clock is set by %d ms", async (byMs) => {
    const { sink, flow } = await paced(numbers(10_000), 100);
    await flow.advanceBy(1_000);
    const before = sink.rows.length;
    flow.time.stepWall(byMs);
    await flow.settle();
    expect(sink.rows).toHaveLength(before);
    await flow.advanceBy(1_000);
    expect(sink.rows.length - before).toBe(100);
    await flow.stop();
  });

  test("stops at once at any rate", async () => {
    const { sink, flow } = await paced(numbers(10), 0.001);
    await flow.stop();
    expect(sink.rows).toEqual([0]);
  });

  describe("is a source", () => {
    const suite = sourceConformance<number>({
      open: () => {
        const events: number[] = [];
        const inner = new IterableSource(
          { [Symbol.iterator]: () => events[Symbol.iterator]() },
          { batchSize: 7 },
        );
        return Promise.resolve({
          source: new PacedSource(inner, 10_000),
          put: (_part, more) => {
            events.push(...more);
            return Promise.resolve();
          },
          close: () => Promise.resolve(),
        });
      },
      event: (n) => n,
      resumes: true,
      finite: true,
    });
    test.each(suite)("$name", ({ run }) => run());
  });

  test("is drained when its input is and no event is queued", async () => {
    const time = new VirtualTime();
    const inner = new TestingSource<number>();
    const partition = await new PacedSource(inner, 1).buildPart("testing", undefined, {
      flow: "test",
      step: "in",
      logger: SILENT_LOGGER,
      time,
      signal: new AbortController().signal,
      reject: () => undefined,
      fail: () => undefined,
    });
    expect(await partition.drained?.()).toEqual({ at: 0, connection: 1 });
    inner.push([1, 2]);
    await partition.nextBatch();
    // The second one is due in a second.
    expect(await partition.drained?.()).toBeUndefined();
    const second = partition.nextBatch();
    await time.yield();
    time.set(1_000);
    await second;
    expect(await partition.drained?.()).toEqual({ at: 1_000, connection: 1 });
    await partition.close();
  });

  test("forwards a stop to its input", async () => {
    const sink = new TestingSink<number>();
    const source = new TestingSource<number>();
    const flow = new Dataflow("paced");
    flow.input("in", new PacedSource(source, 10)).output("out", sink);
    const driver = await FlowDriver.start(flow);
    await driver.stop();
    expect(sink.rows).toEqual([]);
  });
});
