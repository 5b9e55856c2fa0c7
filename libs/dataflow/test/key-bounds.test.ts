import { describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore, run } from "@millrace/dataflow";
import type { DeadLetter, KeyedStream, Logger } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { SystemClock, TumblingWindower } from "@millrace/windowing";

function loggerOf(lines: object[]): Logger {
  const quiet = (): void => undefined;
  const keep = (fields: object): void => void lines.push(fields);
  return { debug: quiet, info: keep, warn: keep, error: quiet };
}

const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `k${from + index}`);

function windowFlow(
  source: TestingSource<string>,
  out = new TestingSink<readonly [string, number]>(),
): Dataflow {
  const flow = new Dataflow("flood");
  flow
    .input("in", source)
    .keyBy("key", (name) => name, { perPartition: true })
    .window("w", new TumblingWindower({ lengthMs: 1_000 }), new SystemClock())
    .count("count")
    .map("row", ({ key, value }) => [key, value] as const)
    .output("out", out);
  return flow;
}

describe("a flood of keys", () => {
  test("is counted under the overflow key beyond the bound, and every restart goes on", async () => {
    const source = new TestingSource<string>();
    const out = new TestingSink<readonly [string, number]>();
    const store = new MemoryStore();
    const lines: object[] = [];
    for (let life = 0; life < 3; life += 1) {
      const options = { store, maxKeys: 100, logger: loggerOf(lines) };
      const driver = await FlowDriver.start(windowFlow(source, out), options);
      source.push(names(life * 150, (life + 1) * 150));
      await driver.settle();
      if (life === 2) await driver.advanceBy(1_000);
      await driver.stop();
    }
    expect(out.rows).toHaveLength(101);
    expect(out.rows.find(([key]) => key === "(overflow)")).toEqual(["(overflow)", 350]);
    expect(lines).toContainEqual({ event: "key-bound", maxKeys: 100, maxKeysPerStep: 100 });
  });

  test("has one bound for all partitions and steps of a run", async () => {
    const source = new TestingSource<string>({ parts: ["a", "b"] });
    const lines: object[] = [];
    const driver = await FlowDriver.start(windowFlow(source), {
      store: new MemoryStore(),
      maxKeys: 100,
      logger: loggerOf(lines),
    });
    expect(lines).toContainEqual({ event: "key-bound", maxKeys: 100, maxKeysPerStep: 50 });
    await driver.stop();
  });

  test("that an earlier run had room for is refused with a code by one that has not", async () => {
    const source = new TestingSource<string>();
    const store = new MemoryStore();
    const driver = await FlowDriver.start(windowFlow(source), { store, maxKeys: 1_000 });
    source.push(names(0, 500));
    await driver.settle();
    await driver.stop();
    await expect(run(windowFlow(source), { store, maxKeys: 100 })).rejects.toMatchObject({
      code: "MILLRACE_STATE_TOO_LARGE",
    });
  });
});

describe("keys of a stateful step", () => {
  const counting = (stream: KeyedStream<string>, maxKeys?: number): KeyedStream<number> =>
    stream.statefulFlatMap<number, number>(
      "count",
      {
        onEvent: (state = 0, name) =>
          name === "bye" ? { state: undefined } : { state: state + 1, out: [state + 1] },
      },
      maxKeys === undefined ? {} : { maxKeys, onError: "dead-letter" },
    );

  async function counted(events: readonly string[], maxKeys?: number, runMaxKeys?: number) {
    const source = new TestingSource<string>();
    const out = new TestingSink<number>();
    const deadLetter = new TestingSink<DeadLetter>();
    const lines: object[] = [];
    const flow = new Dataflow("stateful", { deadLetter });
    counting(
      flow.input("in", source).keyBy("key", (name) => name),
      maxKeys,
    )
      .dropKey()
      .output("out", out);
    source.push(events);
    source.end();
    await run(flow, {
      logger: loggerOf(lines),
      ...(runMaxKeys === undefined ? {} : { maxKeys: runMaxKeys }),
    });
    return { out: out.rows, letters: deadLetter.rows, lines };
  }

  test("beyond maxKeys an event fails, and those of known keys do not", async () => {
    const { out, letters, lines } = await counted([...names(0, 12), "k3", "k11"], 10);
    expect(out).toHaveLength(11);
    expect(letters.map(({ payload }) => payload)).toEqual(["k10", "k11", "k11"]);
    expect(letters[0]?.reason.message).toMatch(/10 keys have a state/);
    expect(lines).toContainEqual({
      event: "keys-nearly-full",
      step: "count",
      part: "testing",
      keys: 8,
      maxKeys: 10,
    });
  });

  test("an event that keeps nothing needs no room", async () => {
    const { letters } = await counted([...names(0, 10), "bye"], 10);
    expect(letters).toEqual([]);
  });

  test("the run's bound holds where the step names none, and ends the run with a remedy", async () => {
    await expect(counted(names(0, 12), undefined, 10)).rejects.toMatchObject({
      code: "MILLRACE_STEP_FAILED",
      message: expect.stringMatching(/maxKeys/),
    });
  });
});
