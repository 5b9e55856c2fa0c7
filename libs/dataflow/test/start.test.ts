import { describe, expect, test } from "@jest/globals";
import { Dataflow, IterableSource, MemoryStore, StateError } from "@millrace/dataflow";
import type { Source, Store } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import {
  EventClock,
  SessionWindower,
  SlidingWindower,
  SystemClock,
  TumblingWindower,
} from "@millrace/windowing";
import type { Clock, Windower } from "@millrace/windowing";
import type { WindowOptions } from "@millrace/dataflow";

interface Shape {
  readonly windower?: Windower;
  readonly clock?: Clock<string>;
  readonly options?: WindowOptions<string>;
  readonly version?: number;
  readonly source?: Source<string>;
}

const SECOND = new TumblingWindower({ lengthMs: 1_000 });

function counts(source: Source<string>, shape: Shape = {}): Dataflow {
  const { windower = SECOND, clock = new SystemClock(), options = {}, version = 1 } = shape;
  const flow = new Dataflow("counts", { version });
  flow
    .input("in", shape.source ?? source)
    .keyBy("all", () => "all")
    .window("w", windower, clock, options)
    .count("n")
    .output("out", new TestingSink());
  return flow;
}

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

describe("a worker that cannot go on from what is kept", () => {
  const waiting = new EventClock<string>({ timestamp: Number, waitMs: 1_000 });
  test.each<[string, Shape, string]>([
    ["another length", { windower: new TumblingWindower({ lengthMs: 2_000 }) }, "MILLRACE_STATE_MISMATCH"],
    [
      "windows that overlap",
      { windower: new SlidingWindower({ lengthMs: 1_000, offsetMs: 500 }) },
      "MILLRACE_STATE_MISMATCH",
    ],
    ["sessions", { windower: new SessionWindower({ gapMs: 1_000 }) }, "MILLRACE_STATE_MISMATCH"],
    ["another clock", { clock: waiting }, "MILLRACE_STATE_MISMATCH"],
    ["another time model", { options: { timeModel: "perKey" } }, "MILLRACE_STATE_MISMATCH"],
    ["an order of events", { options: { ordered: true } }, "MILLRACE_STATE_MISMATCH"],
    ["another version", { version: 2 }, "MILLRACE_STATE_MISMATCH"],
    ["another source", { source: otherSource() }, "MILLRACE_STATE_INVALID"],
  ])("is refused before it takes a task over: %s", async (_, shape, code) => {
    const store = new MemoryStore();
    const source = new TestingSource<string>({
      parts: ["0", "1"],
      partitioning: { kind: "single" },
    });
    const first = await FlowDriver.start(counts(source), { store, commitEveryEvents: 1 });
    source.push(["a"], { part: "0" });
    await first.settle();
    const second = await FlowDriver.start(counts(source, shape), { store });
    await expect(second.stop()).rejects.toMatchObject({ code });
    // The first one still owns both tasks: it goes on to commit.
    for (const part of ["0", "1"]) source.push(["b"], { part });
    await first.settle();
    expect((await first.stop()).tasks).toMatchObject([{ phase: "ended" }, { phase: "ended" }]);
  });

  test("is refused what the former owner committed after the look, too", async () => {
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

  test("is not one that keeps the same state with steps in another order, or with more steps that keep none", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<string>();
    const flow = (more: boolean): Dataflow => {
      const built = new Dataflow("order");
      const input = built.input("in", source);
      const count = (id: string): void => {
        (more ? input.filter(`${id}_all`, () => true) : input)
          .keyBy(`${id}_key`, () => "all")
          .window(id, SECOND, new SystemClock())
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

describe("a position", () => {
  test.each([
    ["an iterable", new IterableSource<string>([])],
    ["a file", undefined],
  ])("of another source is refused by %s without opening it", async (_, given) => {
    const { JsonlFileSource } = await import("@millrace/dataflow");
    const source = given ?? new JsonlFileSource("/nowhere/at/all.jsonl");
    for (const position of [{ id: "1-1" }, "3", null, -1, 1.5]) {
      expect(() => {
        source.checkPosition("part", position);
      }).toThrow(StateError);
    }
    expect(() => {
      source.checkPosition("part", 7);
    }).not.toThrow();
  });
});
