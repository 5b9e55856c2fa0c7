import { describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore, run } from "@millrace/dataflow";
import type { DeadLetter, ErrorPolicy, KeyedLogic, KeyedStep, Stream } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { collectRows } from "../collect-rows.ts";

type Reading = readonly [sensor: string, value: number];

const bySensor = (
  source: TestingSource<Reading>,
  flow = new Dataflow("sensors"),
): [Dataflow, Stream<number, string>] => [
  flow,
  flow
    .input("in", source)
    .keyBy("sensor", ([sensor]) => sensor)
    .map("value", ([, value]) => value),
];

describe("statefulMap", () => {
  const runningMax = (readings: Stream<number, string>): Stream<readonly [string, number], string> =>
    readings.statefulMap(
      "max",
      () => -Infinity,
      (max, value, key) => {
        const next = Math.max(max, value);
        return [next, [key, next] as const];
      },
    );

  test("keeps a state for each key", async () => {
    const { rows } = await collectRows<Reading, readonly [string, number], undefined>(
      [
        ["a", 4],
        ["b", 4],
        ["a", 1],
        ["b", 5],
      ],
      (readings) => runningMax(readings.keyBy("k", ([k]) => k).map("v", ([, v]) => v)).dropKey(),
    );
    expect(rows).toEqual([
      ["a", 4],
      ["b", 4],
      ["a", 4],
      ["b", 5],
    ]);
  });

  test("continues with the stored state in each run", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<Reading>();
    const out = new TestingSink<readonly [string, number]>();
    for (const readings of [
      [
        ["a", 4],
        ["b", 4],
      ],
      [
        ["a", 1],
        ["b", 5],
      ],
      [
        ["a", 8],
        ["b", 1],
      ],
    ] as const) {
      const [flow, stream] = bySensor(source);
      runningMax(stream).output("out", out);
      const driver = await FlowDriver.start(flow, { store });
      source.push(readings);
      await driver.settle();
      await driver.stop();
    }
    expect(out.rows).toEqual([
      ["a", 4],
      ["b", 4],
      ["a", 4],
      ["b", 5],
      ["a", 8],
      ["b", 5],
    ]);
  });

  test("refuses state that a store could not keep, and says what to do", async () => {
    const source = new TestingSource<Reading>();
    const [flow, stream] = bySensor(source);
    stream
      .statefulMap(
        "seen",
        () => new Set<number>(),
        (seen, value) => [new Set([...seen, value]), value],
      )
      .output("out", new TestingSink());
    source.push([["a", 1]]);
    await expect(run(flow, { store: new MemoryStore(), commitEveryEvents: 1 })).rejects.toMatchObject({
      code: "MILLRACE_STATE_INVALID",
      message: expect.stringContaining("give a codec"),
    });
  });
});

describe("statefulFlatMap", () => {
  /** Reports when a sensor has been silent for ten seconds. */
  const silence: KeyedLogic<number, { readonly last: number }, string> = {
    create: () => ({ last: 0 }),
    onEvent: (_state, value, { now }) => ({ state: { last: value }, notifyAt: now + 10_000 }),
    onNotify: ({ last }, { key, now }) => ({
      state: undefined,
      out: [`${key} silent at ${now} after ${last}`],
    }),
    onEnd: ({ last }, { key }) => ({ state: undefined, out: [`${key} ended at ${last}`] }),
  };

  test("calls back at the time asked for, earliest first, and only once", async () => {
    const source = new TestingSource<Reading>();
    const [flow, stream] = bySensor(source);
    const out = new TestingSink<string>();
    stream.statefulFlatMap("silence", silence).output("out", out);
    const driver = await FlowDriver.start(flow);
    source.push([
      ["a", 1],
      ["b", 2],
    ]);
    await driver.advanceTo(4_000);
    source.push([["a", 3]]);
    await driver.advanceTo(13_999);
    expect(out.take()).toEqual(["b silent at 10000 after 2"]);
    await driver.advanceTo(60_000);
    expect(out.take()).toEqual(["a silent at 14000 after 3"]);
    source.push([["c", 7]]);
    source.end();
    await driver.done;
    expect(out.take()).toEqual(["c ended at 7"]);
  });

  test("notifies a millisecond later if asked to notify at once, and does not block the event loop", async () => {
    const eager: KeyedLogic<number, number, string> = {
      create: () => 0,
      onEvent: (_state, _value, { now }) => ({ state: 0, notifyAt: now }),
      // Three times are enough to see it, and end a test that would not end.
      onNotify: (count, { now }) => ({
        state: count < 2 ? count + 1 : undefined,
        notifyAt: now,
        out: [`notified at ${now}`],
      }),
    };
    const source = new TestingSource<Reading>();
    const [flow, stream] = bySensor(source);
    const out = new TestingSink<string>();
    stream.statefulFlatMap("eager", eager).output("out", out);
    const driver = await FlowDriver.start(flow);
    source.push([["a", 1]]);
    await driver.advanceTo(10);
    expect(out.rows).toEqual(["notified at 0", "notified at 1", "notified at 2"]);
    await driver.stop();
  });

  test("keeps notifications across a restart", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<Reading>();
    const out = new TestingSink<string>();
    const start = async (startAt: number): Promise<FlowDriver> => {
      const [flow, stream] = bySensor(source);
      stream.statefulFlatMap("silence", silence).output("out", out);
      return FlowDriver.start(flow, { store, startAt });
    };
    const first = await start(0);
    source.push([["a", 1]]);
    await first.settle();
    await first.stop();
    const second = await start(5_000);
    await second.advanceTo(10_000);
    expect(out.rows).toEqual(["a silent at 10000 after 1"]);
    await second.stop();
  });
});

describe("collect", () => {
  test("emits lists when they are full, and the rest at the end", async () => {
    const { rows } = await collectRows([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], (numbers) =>
      numbers
        .keyBy("all", () => "ALL")
        .collect("lists", { maxSize: 3, timeout: 10_000 })
        .dropKey(),
    );
    expect(rows).toEqual([[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]);
  });

  test("emits a list that did not grow during the timeout", async () => {
    const source = new TestingSource<Reading>();
    const [flow, stream] = bySensor(source);
    const out = new TestingSink<readonly number[]>();
    stream.collect("lists", { maxSize: 3, timeout: 1_000 }).output("out", out);
    const driver = await FlowDriver.start(flow);
    source.push([["a", 1]]);
    await driver.advanceTo(600);
    source.push([["a", 2]]);
    await driver.advanceTo(1_599);
    expect(out.rows).toEqual([]);
    await driver.advanceTo(1_600);
    expect(out.rows).toEqual([[1, 2]]);
    await driver.stop();
  });
});

describe("deduplicate", () => {
  test("passes an id once within its time, counts what it drops, and keeps ids across runs", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<string>();
    const out = new TestingSink<string>();
    const start = (startAt: number): Promise<FlowDriver> => {
      const flow = new Dataflow("dedup");
      flow
        .input("in", source)
        .deduplicate("once", (id) => id, { within: 1_000 })
        .output("out", out);
      return FlowDriver.start(flow, { store, startAt });
    };
    const first = await start(0);
    source.push(["a", "b", "a", "a"]);
    await first.settle();
    expect(first.stats().tasks[0]?.steps.find(({ id }) => id === "once")?.figures).toMatchObject({
      kept: 2,
      dropped: 2,
    });
    await first.stop();
    const second = await start(500);
    source.push(["b", "c"]);
    await second.advanceTo(2_000);
    source.push(["b"]);
    await second.settle();
    await second.stop();
    expect(out.rows).toEqual(["a", "b", "c", "b"]);
  });
});

describe("an error of the logic", () => {
  interface Case {
    readonly rows: readonly unknown[];
    readonly letters: readonly unknown[];
    readonly end: Promise<unknown>;
  }

  /** Runs the logic over one reading of `a` and one of `b`, on to the time 100 and to the end. */
  async function over(logic: KeyedLogic<number, number, string>, onError?: ErrorPolicy): Promise<Case> {
    const source = new TestingSource<Reading>();
    const out = new TestingSink<string>();
    const deadLetter = new TestingSink<DeadLetter>();
    const [flow, readings] = bySensor(source, new Dataflow("throwing", { deadLetter }));
    readings
      .statefulFlatMap("step", logic, onError === undefined ? {} : { onError })
      .dropKey()
      .output("out", out);
    const driver = await FlowDriver.start(flow);
    const end = driver.done.then(
      () => "done",
      (error: unknown) => error,
    );
    source.push([
      ["a", 1],
      ["b", 2],
    ]);
    await driver.settle();
    await driver.advanceTo(100);
    source.end();
    await driver.settle();
    return { rows: out.rows, letters: deadLetter.rows.map(({ step, payload }) => [step, payload]), end };
  }

  /** @throws for the key `a` */
  const failingFor = (key: string): string => {
    if (key === "a") throw new TypeError("not this key");
    return key;
  };
  const lazily = function* (key: string): Iterable<string> {
    yield "first";
    yield failingFor(key);
  };
  const create = (): number => 0;
  const keep = (state: number): KeyedStep<number, string> => ({ state });
  const cases: Readonly<Record<string, KeyedLogic<number, number, string>>> = {
    "out of onEvent": { create, onEvent: (_state, value, { key }) => ({ state: value, out: lazily(key) }) },
    onNotify: {
      create,
      onEvent: (_state, value, { now }) => ({ state: value, notifyAt: now + 10 }),
      onNotify: (state, { key }) => ({ state, out: [failingFor(key)] }),
      onEnd: keep,
    },
    "out of onNotify": {
      create,
      onEvent: (_state, value, { now }) => ({ state: value, notifyAt: now + 10 }),
      onNotify: (state, { key }) => ({ state, out: lazily(key) }),
    },
    onEnd: {
      create,
      onEvent: (_state, value) => ({ state: value }),
      onEnd: (state, { key }) => ({ state, out: [failingFor(key)] }),
    },
    "out of onEnd": {
      create,
      onEvent: (_state, value) => ({ state: value }),
      onEnd: (state, { key }) => ({ state, out: lazily(key) }),
    },
    "a time that is none": {
      create,
      onEvent: (_state, value, { key }) => ({
        state: value,
        out: [key],
        notifyAt: key === "a" ? NaN : undefined,
      }),
    },
  };

  test.each(Object.entries(cases))("in %s is the step's error", async (_, logic) => {
    await expect((await over(logic)).end).resolves.toMatchObject({
      code: "MILLRACE_STEP_FAILED",
      step: "step",
      message: expect.stringMatching(/not this key|notifyAt is NaN/),
    });
  });

  test.each(Object.entries(cases))("in %s goes to the dead letter if the step says so", async (_, logic) => {
    const { rows, letters, end } = await over(logic, "dead-letter");
    await expect(end).resolves.toBe("done");
    expect(rows.at(-1)).toBe("b");
    expect(rows.filter((row) => row !== "first")).toEqual(["b"]);
    expect(letters).toEqual([["step", expect.stringMatching(/^(1|\{"key":"a","state":1\})$/)]]);
  });

  test("is retried if the step says so, without duplicate rows", async () => {
    let tries = 0;
    const logic: KeyedLogic<number, number, string> = {
      create,
      onEvent: (_state, value, { key }) => ({
        state: value,
        out: (function* () {
          yield `${key} begins`;
          if ((tries += 1) < 3) throw new TypeError("not yet");
          yield `${key} ends`;
        })(),
      }),
    };
    const { rows, end } = await over(logic, { retries: 2 });
    await expect(end).resolves.toBe("done");
    expect(rows).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  });
});
