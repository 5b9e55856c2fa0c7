import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "@jest/globals";
import { Dataflow, FileStore, KeyStateTooLargeError, MemoryStore, run } from "@millrace/dataflow";
import type { DeadLetter, ErrorPolicy, Logger, Store, Stream } from "@millrace/dataflow";
import { CrashingStore, FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { systemTime, tumbling } from "@millrace/windowing";

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
    .window("w", tumbling(1_000), systemTime())
    .count("count")
    .map("row", ({ key, value }) => [key, value] as const)
    .output("out", out);
  return flow;
}

describe("a flood of keys", () => {
  test("counts under the overflow key above maxKeys, and continues after each restart", async () => {
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
    expect(lines).toContainEqual(
      expect.objectContaining({ event: "key-bound", maxKeys: 100, maxKeysPerStep: 100 }),
    );
    // Once for each life, when it happens first.
    const step = { event: "keys-overflow", step: "w.count", part: "testing" };
    expect(lines.filter((line) => "event" in line && line.event === "keys-overflow")).toEqual([
      { ...step, events: 50 },
      { ...step, events: 150 },
      { ...step, events: 150 },
    ]);
  });

  test("has one limit for all partitions and steps of a run", async () => {
    const source = new TestingSource<string>({ parts: ["a", "b"] });
    const lines: object[] = [];
    const driver = await FlowDriver.start(windowFlow(source), {
      store: new MemoryStore(),
      maxKeys: 100,
      maxStateBytes: 10_000,
      logger: loggerOf(lines),
    });
    expect(lines).toContainEqual({
      event: "key-bound",
      maxKeys: 100,
      maxKeysPerStep: 50,
      maxStateBytes: 10_000,
      maxStateBytesPerStep: 5_000,
    });
    await driver.stop();
  });

  test("that fitted into an earlier run is refused with a code by a run with less room", async () => {
    const source = new TestingSource<string>();
    const store = new MemoryStore();
    const driver = await FlowDriver.start(windowFlow(source), { store, maxKeys: 1_000, commitEveryMs: 100 });
    source.push(names(0, 500));
    await driver.advanceBy(200);
    await expect(run(windowFlow(source), { store, maxKeys: 100 })).rejects.toMatchObject({
      code: "MILLRACE_STATE_TOO_LARGE",
    });
    // It was refused before it took the task over: the first one still commits.
    source.push(names(500, 510));
    await driver.settle();
    await driver.stop();
  });
});

describe("keys of a stateful step", () => {
  const counting = (stream: Stream<string, string>, maxKeys?: number): Stream<number, string> =>
    stream.statefulFlatMap(
      "count",
      {
        create: () => 0,
        onEvent: (state, name) =>
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

  test("above maxKeys an event of a new key fails, and those of known keys do not", async () => {
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

  test("the run's limit applies if the step has none, and ends the run with a remedy", async () => {
    await expect(counted(names(0, 12), undefined, 10)).rejects.toMatchObject({
      code: "MILLRACE_STEP_FAILED",
      message: expect.stringMatching(/maxKeys/),
    });
  });
});

describe("bytes of a key", () => {
  const folders: string[] = [];
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true });
  });
  const stores: readonly (readonly [string, () => Promise<Store>])[] = [
    ["MemoryStore", () => Promise.resolve(new MemoryStore())],
    [
      "FileStore",
      async () => {
        const folder = await mkdtemp(join(tmpdir(), "key-bytes-"));
        folders.push(folder);
        return new FileStore(folder);
      },
    ],
  ];

  /** Runs a flow life by life over the same store; each life ends with a commit. */
  async function live<Row>(
    store: Store | undefined,
    lives: readonly (readonly string[])[],
    build: (stream: Stream<string, string>) => Stream<Row>,
  ): Promise<{ rows: readonly Row[]; letters: readonly DeadLetter[] }> {
    const source = new TestingSource<string>();
    const out = new TestingSink<Row>();
    const deadLetter = new TestingSink<DeadLetter>();
    for (const [life, events] of lives.entries()) {
      const flow = new Dataflow("bytes", { deadLetter });
      const keyed = flow.input("in", source).keyBy("key", (text) => text.charAt(0), { perPartition: true });
      build(keyed).output("out", out);
      const driver = await FlowDriver.start(flow, store === undefined ? {} : { store });
      source.push(events);
      await driver.settle();
      if (life === lives.length - 1) await driver.advanceBy(1_000);
      await driver.stop();
    }
    return { rows: out.rows, letters: deadLetter.rows };
  }

  const texts = (stream: Stream<string, string>, maxBytes: number, onError?: ErrorPolicy): Stream<string> =>
    stream
      .statefulMap(
        "texts",
        () => "",
        (state, text) => {
          const next = `${state}${text}`;
          return [next, next];
        },
        { maxBytes, ...(onError === undefined ? {} : { onError }) },
      )
      .dropKey();

  test.each(stores)(
    "above maxBytes, a step refuses more events of the key, also after a restart: %s",
    async (_, open) => {
      const build = (stream: Stream<string, string>): Stream<string> => texts(stream, 4, "dead-letter");
      const { rows, letters } = await live(await open(), [["a1", "a2"], ["a3", "b1"], ["a4"], ["b2"]], build);
      expect(rows).toEqual(["a1", "a1a2", "b1", "b1b2"]);
      expect(letters.map(({ payload }) => payload)).toEqual(["a3", "a4"]);
      expect(letters[0]?.reason.message).toMatch(
        /state of key "a" has 6 bytes of JSON, at most 4 are allowed.*maxBytes/,
      );
    },
  );

  test("a step that fails names the key, its size and the remedy", async () => {
    const failing = live(new MemoryStore(), [["a1", "a2"], ["a3"]], (stream) => texts(stream, 4));
    await expect(failing).rejects.toMatchObject({
      code: KeyStateTooLargeError.code,
      step: "texts",
      size: { key: "a", bytes: 6, maxBytes: 4 },
    });
  });

  test("of all keys have the limit of the run: new keys and large ones are refused, small ones continue", async () => {
    const store = new MemoryStore();
    const letters = new TestingSink<DeadLetter>();
    const source = new TestingSource<string>();
    const out = new TestingSink<string>();
    const big = "x".repeat(2_000);
    const lines: object[] = [];
    const lives = [
      [`a${big}`, "b1"],
      ["a3", "b2", "c1"],
      ["a4", "c2", "b3"],
    ];
    for (const events of lives) {
      const flow = new Dataflow("bytes", { deadLetter: letters });
      const keyed = flow.input("in", source).keyBy("key", (text) => text.charAt(0), { perPartition: true });
      texts(keyed, 1e6, "dead-letter").output("out", out);
      const driver = await FlowDriver.start(flow, { store, maxStateBytes: 2_000, logger: loggerOf(lines) });
      source.push(events);
      await driver.settle();
      await driver.stop();
    }
    expect(out.rows).toEqual([`a${big}`, "b1", "b1b2", "b1b2b3"]);
    expect(letters.rows.map(({ payload }) => payload)).toEqual(["a3", "c1", "a4", "c2"]);
    expect(lines).toContainEqual({
      event: "state-nearly-full",
      step: "texts",
      part: "testing",
      bytes: 2_003,
      maxStateBytes: 2_000,
    });
    expect(letters.rows[0]?.reason.message).toMatch(
      /states of all keys have 2007 bytes.*maxStateBytes is 2000/,
    );
  });

  test("are not measured without a store", async () => {
    const { rows } = await live(undefined, [["a1", "a2", "a3"]], (stream) => texts(stream, 1));
    expect(rows).toEqual(["a1", "a1a2", "a1a2a3"]);
  });

  test("may decrease in a notification, and then events are accepted again", async () => {
    const source = new TestingSource<string>();
    const out = new TestingSink<string>();
    const flow = new Dataflow("shrinking");
    flow
      .input("in", source)
      .keyBy("key", () => "a")
      .statefulFlatMap(
        "texts",
        {
          create: () => "",
          onEvent: (state, text, { now }) => ({
            state: state + text,
            out: [state + text],
            notifyAt: now + 500,
          }),
          onNotify: () => ({ state: "" }),
        },
        { maxBytes: 4 },
      )
      .dropKey()
      .output("out", out);
    const driver = await FlowDriver.start(flow, { store: new MemoryStore() });
    source.push(["12345"]);
    await driver.settle();
    await driver.advanceBy(2_000);
    source.push(["6"]);
    await driver.settle();
    await driver.stop();
    expect(out.rows).toEqual(["12345", "6"]);
  });

  test("must be at least 1", async () => {
    const failing = live(undefined, [[]], (stream) => texts(stream, Number.NaN));
    await expect(failing).rejects.toMatchObject({ code: "MILLRACE_FLOW_INVALID" });
  });

  test.each(stores)("beyond maxBytes, a reduce counts further events in its row: %s", async (_, open) => {
    const build = (
      stream: Stream<string, string>,
    ): Stream<{ key: string; value: string; overflow: number | undefined }> =>
      stream
        .window("w", tumbling(1_000), systemTime())
        .reduce(
          "text",
          (text) => text,
          (a, b) => a + b,
          { maxBytes: 4 },
        )
        .map("row", ({ key, value, overflow }) => ({ key, value, overflow }))
        .dropKey();
    const { rows } = await live(await open(), [["a1", "a2"], ["a3", "b1"], ["a4"]], build);
    expect(rows).toEqual([
      { key: "a", value: "a1a2", overflow: 2 },
      { key: "b", value: "b1", overflow: undefined },
    ]);
  });

  const huge = (): string[] => Array<string>(257).fill("x".repeat(2 ** 20));
  const hugeState = (stream: Stream<string, string>): Stream<number> =>
    stream.statefulMap("huge", huge, () => [huge(), 1]).dropKey();
  const hugeWindow = (stream: Stream<string, string>): Stream<number> =>
    stream
      .window("w", tumbling(3_600_000), systemTime())
      .reduce("huge", huge, (a) => a)
      .map("row", () => 1)
      .dropKey();

  test.each([
    ["huge", hugeState],
    ["w.huge", hugeWindow],
  ] as const)("that no store takes end the run before anything is written: %s", async (step, build) => {
    const store = new MemoryStore();
    const commits: number[] = [];
    const counting = new CrashingStore(store, ({ changes }) => {
      commits.push(changes.length);
      return undefined;
    });
    await expect(live(counting, [["a"]], build)).rejects.toMatchObject({
      code: KeyStateTooLargeError.code,
      step,
      size: { key: "a", maxBytes: 2 ** 28 },
    });
    expect(commits.filter((changes) => changes > 1)).toEqual([]);
  });
});
