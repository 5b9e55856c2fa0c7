import { describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore, StateError } from "@millrace/dataflow";
import type { Source, Store, WindowedStream } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { count as foldCount, eventTime, session, sliding, systemTime, tumbling } from "@millrace/windowing";
import { SECOND, counts } from "./support/counting-flow.ts";
import type { Shape } from "./support/counting-flow.ts";

/** Another source over parts of the same names, of which no position is a number. */
function otherSource(): Source<string> {
  const inner = new TestingSource<string>({ parts: ["0", "1"] });
  return {
    partitioning: { kind: "single" },
    listParts: () => inner.listParts(),
    checkPosition(part, position) {
      if (typeof position === "number") throw new StateError(`${part}: the position is a number`);
    },
    buildPart: (...args) => inner.buildPart(...args),
  };
}

describe("a worker that cannot continue from the stored state", () => {
  const waiting = eventTime<string>(Number, { wait: 1_000 });
  const mismatch = "MILLRACE_STATE_MISMATCH";
  test.each<[string, Shape, string, string]>([
    [
      "another length",
      { windower: tumbling(2_000) },
      mismatch,
      'step "w.n", windows: kept tumbling 1 s, now tumbling 2 s',
    ],
    [
      "windows that overlap",
      { windower: sliding(90_000, { every: 500 }) },
      mismatch,
      'step "w.n", windows: kept tumbling 1 s, now sliding 90 s every 500 ms',
    ],
    [
      "sessions",
      { windower: session(60_000) },
      mismatch,
      'step "w.n", windows: kept tumbling 1 s, now session with a gap of 1 min',
    ],
    ["another clock", { clock: waiting }, mismatch, 'step "w.n", clock: kept system, now event'],
    [
      "another time model",
      { options: { timeModel: "perKey" } },
      mismatch,
      'step "w.n", time model: kept stream, now perKey',
    ],
    [
      "an order of events",
      { options: { ordered: true } },
      mismatch,
      'step "w.n", order of events: kept any, now ordered',
    ],
    ["another version", { version: 2 }, mismatch, "the flow's version: kept 1, now 2"],
    ["another source", { source: otherSource() }, "MILLRACE_STATE_INVALID", "the position is a number"],
  ])("is refused before it takes over a task: %s", async (_, shape, code, difference) => {
    const store = new MemoryStore();
    const source = new TestingSource<string>({
      parts: ["0", "1"],
      partitioning: { kind: "single" },
    });
    const first = await FlowDriver.start(counts(source), { store, commitEveryEvents: 1 });
    source.push(["a"], { part: "0" });
    await first.settle();
    const second = await FlowDriver.start(counts(source, shape), { store });
    await expect(second.stop()).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`${difference}(\\.|$)`)),
    });
    // The first one still owns both tasks, and continues to commit.
    for (const part of ["0", "1"]) source.push(["b"], { part });
    await first.settle();
    expect((await first.stop()).tasks).toMatchObject([{ phase: "ended" }, { phase: "ended" }]);
  });

  test("is refused also if the former owner commits after the check", async () => {
    const inner = new MemoryStore();
    const source = new TestingSource<string>();
    const first = await FlowDriver.start(counts(source), { store: inner });
    source.push(["a"]);
    await first.stop();
    const store: Store = {
      look: () => Promise.resolve(undefined),
      acquire: (task) => inner.acquire(task),
      close: () => inner.close(),
    };
    const second = await FlowDriver.start(counts(source, { version: 2 }), { store });
    await expect(second.stop()).rejects.toMatchObject({ code: "MILLRACE_STATE_MISMATCH" });
  });

  test("is not one whose stateful steps are the same in another order, or with more stateless steps", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<string>();
    const flow = (more: boolean): Dataflow => {
      const built = new Dataflow("order");
      const input = built.input("in", source);
      const count = (id: string): void => {
        (more ? input.filter(`${id}_all`, () => true) : input)
          .keyBy(`${id}_key`, () => "all")
          .window(id, SECOND, systemTime())
          .count("n")
          .output(`${id}_out`, new TestingSink());
      };
      for (const id of more ? ["b", "a"] : ["a", "b"]) count(id);
      return built;
    };
    await (await FlowDriver.start(flow(false), { store })).stop();
    const { tasks } = await (await FlowDriver.start(flow(true), { store })).stop();
    expect(tasks).toMatchObject([{ phase: "ended" }]);
  });
});

describe("a different fold under the same ids", () => {
  type Folding = (windowed: WindowedStream<number>) => void;
  const flowOf = (source: Source<number>, folding: Folding): Dataflow => {
    const flow = new Dataflow("folds");
    folding(
      flow
        .input("in", source)
        .keyBy("all", () => "all")
        .window("w", SECOND, systemTime()),
    );
    return flow;
  };
  const count: Folding = (w) => {
    w.count("n").output("out", new TestingSink());
  };
  const folds: readonly [string, Folding][] = [
    [
      "sum",
      (w) => {
        w.sum("n", Number).output("out", new TestingSink());
      },
    ],
    [
      "min",
      (w) => {
        w.min("n", Number).output("out", new TestingSink());
      },
    ],
    [
      "distinct",
      (w) => {
        w.distinct("n", Number).output("out", new TestingSink());
      },
    ],
    [
      "aggregate",
      (w) => {
        w.aggregate("n", { events: foldCount() }).output("out", new TestingSink());
      },
    ],
  ];
  test.each(folds)("is refused and named: count, then %s", async (kind, other) => {
    const store = new MemoryStore();
    const source = new TestingSource<number>();
    const first = await FlowDriver.start(flowOf(source, count), { store, commitEveryEvents: 1 });
    source.push([5]);
    await first.settle();
    const second = await FlowDriver.start(flowOf(source, other), { store });
    await expect(second.done).rejects.toMatchObject({ code: "MILLRACE_STATE_MISMATCH" });
    await expect(second.done).rejects.toThrow(new RegExp(`step "w\\.n", fold: kept count, now ${kind}`));
    source.push([6]);
    await first.settle();
    expect((await first.stop()).tasks).toMatchObject([{ phase: "ended" }]);
  });
});
