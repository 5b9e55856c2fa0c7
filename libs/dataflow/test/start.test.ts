import { appendFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Dataflow, IterableSource, JsonlFileSink, MemoryStore, StateError } from "@millrace/dataflow";
import type {
  Json,
  PartResult,
  Sink,
  SinkPartition,
  Source,
  Store,
  WindowedStream,
} from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { count as foldCount, eventTime, session, sliding, systemTime, tumbling } from "@millrace/windowing";
import type { Clock, Windower } from "@millrace/windowing";
import type { WindowOptions } from "@millrace/dataflow";

interface Shape {
  readonly windower?: Windower;
  readonly clock?: Clock<string>;
  readonly options?: WindowOptions<string>;
  readonly version?: number;
  readonly source?: Source<string>;
  readonly sink?: Sink<unknown>;
}

const SECOND = tumbling(1_000);

function counts(source: Source<string>, shape: Shape = {}): Dataflow {
  const { windower = SECOND, clock = systemTime(), options = {}, version = 1 } = shape;
  const flow = new Dataflow("counts", { version });
  flow
    .input("in", shape.source ?? source)
    .keyBy("all", () => "all")
    .window("w", windower, clock, options)
    .count("n")
    .output("out", shape.sink ?? new TestingSink());
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

  test("is refused with steps that have state and are new, and removed steps are named", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<string>();
    const folding = (...ids: readonly string[]): Dataflow => {
      const flow = new Dataflow("steps");
      const input = flow.input("in", source);
      for (const id of ids)
        input.deduplicate(id, String, { within: 1_000 }).output(`${id}_out`, new TestingSink());
      return flow;
    };
    await (await FlowDriver.start(folding("a", "b"), { store })).stop();
    const second = await FlowDriver.start(folding("a", "c"), { store });
    await expect(second.done).rejects.toThrow(
      /step "b" had state \(deduplicate\), and is removed or has none now; step "c" has state now, and had none/,
    );
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

describe("a worker whose source cannot be opened", () => {
  /** The source, of which one part cannot be opened. */
  function shut(inner: TestingSource<string>, closed: string): Source<string> {
    return {
      partitioning: inner.partitioning,
      listParts: () => inner.listParts(),
      buildPart: (part, ...rest) =>
        part === closed
          ? Promise.reject(new Error("no permission to subscribe"))
          : inner.buildPart(part, ...rest),
    };
  }

  test.each(["0", "1"])("takes over no task: partition %s", async (closed) => {
    const store = new MemoryStore();
    const source = new TestingSource<string>({ parts: ["0", "1"], partitioning: { kind: "single" } });
    const first = await FlowDriver.start(counts(source), { store, commitEveryEvents: 1 });
    source.push(["a"], { part: "0" });
    await first.settle();
    const second = await FlowDriver.start(counts(source, { source: shut(source, closed) }), { store });
    await expect(second.done).rejects.toMatchObject({ code: "MILLRACE_SOURCE_FAILED" });
    for (const part of ["0", "1"]) source.push(["b"], { part });
    await first.settle();
    expect((await first.stop()).tasks).toMatchObject([{ phase: "ended" }, { phase: "ended" }]);
  });

  test("reads from the position that the former owner committed after the source was opened", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<string>();
    const sink = new TestingSink<PartResult<number>>();
    const first = await FlowDriver.start(counts(source), { store, commitEveryEvents: 1 });
    source.push(["a"]);
    await first.settle();
    const opened: (Json | undefined)[] = [];
    let closed = 0;
    // While the source is opened, the former owner continues.
    const slow: Source<string> = {
      partitioning: source.partitioning,
      listParts: () => source.listParts(),
      async buildPart(part, resume, context) {
        opened.push(resume);
        const partition = await source.buildPart(part, resume, context);
        if (opened.length === 1) {
          source.push(["b"]);
          await first.settle();
        }
        return {
          nextBatch: () => partition.nextBatch(),
          snapshot: () => partition.snapshot(),
          async close() {
            closed += 1;
            await partition.close();
          },
        };
      },
    };
    const second = await FlowDriver.start(counts(slow, { sink }), { store, commitEveryEvents: 1 });
    source.push(["c"]);
    source.end();
    await second.settle();
    await expect(first.done).rejects.toMatchObject({ code: "MILLRACE_FENCED" });
    await second.stop();
    expect(opened).toEqual([1, 2]);
    expect(closed).toBe(2);
    expect(sink.rows).toMatchObject([{ value: 3 }]);
  });
});

describe("a worker whose sink cannot resume", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "millrace-start-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const rows = (source: Source<string>, path: string): Dataflow => {
    const flow = new Dataflow("rows");
    flow.input("in", source).output("out", new JsonlFileSink(path));
    return flow;
  };

  test.each<[string, (path: string) => Promise<string>, string]>([
    [
      "its file is shorter than what was committed",
      async (path) => {
        await writeFile(`${path}.short`, "");
        return `${path}.short`;
      },
      "MILLRACE_STATE_INVALID",
    ],
    ["its file is not there", (path) => Promise.resolve(`${path}.gone`), "MILLRACE_STATE_INVALID"],
    ["its directory does not exist", () => Promise.resolve("/nowhere/rows.jsonl"), "MILLRACE_SINK_FAILED"],
    ["its file is a directory", () => Promise.resolve(folder), "MILLRACE_SINK_FAILED"],
  ])("is refused before it takes over the task: %s", async (_, pathOf, code) => {
    const store = new MemoryStore();
    const source = new TestingSource<string>();
    const path = join(folder, "rows.jsonl");
    const first = await FlowDriver.start(rows(source, path), { store, commitEveryEvents: 1 });
    source.push(["a"]);
    await first.settle();
    const second = await FlowDriver.start(rows(source, await pathOf(path)), { store });
    await expect(second.done).rejects.toMatchObject({ code });
    source.push(["b"]);
    await first.settle();
    expect((await first.stop()).tasks).toMatchObject([{ phase: "ended" }]);
  });

  test("is not one whose file has more than was committed; the check does not change the file", async () => {
    const path = join(folder, "rows.jsonl");
    const sink = new JsonlFileSink<string>(path);
    await writeFile(path, "12\n");
    await appendFile(path, "34\n");
    await expect(sink.checkResume("0", 3)).resolves.toBeUndefined();
    await expect(sink.checkResume("0", 6)).resolves.toBeUndefined();
    await truncate(path, 5);
    await expect(sink.checkResume("0", 6)).rejects.toThrow(StateError);
    await expect(sink.checkResume("0", "6")).rejects.toThrow(StateError);
  });
});

describe("a worker whose sink cannot be opened, or belongs to another store", () => {
  const none = (): Promise<void> => Promise.resolve();
  const partOf = (): SinkPartition<unknown> => ({ writeBatch: none, flush: none, close: none });
  const sinks: Readonly<Record<string, (own: Store) => Sink<unknown>>> = {
    "it cannot be opened": () => ({ buildPart: () => Promise.reject(new Error("no permission to write")) }),
    "it cannot be opened for one of the parts": () => ({
      buildPart: (part) => (part === "1" ? Promise.reject(new Error("gone")) : Promise.resolve(partOf())),
    }),
    "it hands its rows to commits and names no store": () => ({
      buildPart: () => Promise.resolve({ ...partOf(), takeOutputs: () => [] }),
    }),
    "it belongs to another store": () => ({
      store: new MemoryStore(),
      buildPart: () => Promise.resolve({ ...partOf(), takeOutputs: () => [] }),
    }),
    "it has a look of its own that refuses": () => ({
      checkResume: () => Promise.reject(new Error("gone")),
      buildPart: () => Promise.resolve(partOf()),
    }),
  };

  test.each(Object.keys(sinks))("is refused before it takes any task over: %s", async (name) => {
    const store = new MemoryStore();
    const source = new TestingSource<string>({ parts: ["0", "1"], partitioning: { kind: "single" } });
    const first = await FlowDriver.start(counts(source), { store, commitEveryEvents: 1 });
    source.push(["a"], { part: "0" });
    await first.settle();
    const sink = sinks[name]?.(store);
    const second = await FlowDriver.start(counts(source, sink === undefined ? {} : { sink }), { store });
    await expect(second.stop()).rejects.toMatchObject({
      code: expect.stringMatching(/^MILLRACE_(SINK_FAILED|FLOW_INVALID)$/),
    });
    for (const part of ["0", "1"]) source.push(["b"], { part });
    await first.settle();
    expect((await first.stop()).tasks).toMatchObject([{ phase: "ended" }, { phase: "ended" }]);
  });

  test("is not one whose former owner committed another sink state after the opening", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<string>();
    const resumes: (Json | undefined)[] = [];
    let [written, closed] = [0, 0];
    const sink: Sink<unknown> = {
      async buildPart(_part, resume) {
        resumes.push(resume);
        // While the second one opens it, the former owner continues.
        if (resumes.length === 2) {
          source.push(["b"]);
          await first.settle();
        }
        return {
          ...partOf(),
          writeBatch(rows) {
            written += rows.length;
            return Promise.resolve();
          },
          snapshot: () => Promise.resolve(written),
          close() {
            closed += 1;
            return Promise.resolve();
          },
        };
      },
    };
    const rows = (): Dataflow => {
      const flow = new Dataflow("rows");
      flow.input("in", source).output("out", sink);
      return flow;
    };
    const first = await FlowDriver.start(rows(), { store, commitEveryEvents: 1 });
    source.push(["a"]);
    await first.settle();
    const second = await FlowDriver.start(rows(), { store, commitEveryEvents: 1 });
    await second.stop();
    source.push(["c"]);
    await first.settle();
    await expect(first.done).rejects.toMatchObject({ code: "MILLRACE_FENCED" });
    expect(resumes).toEqual([undefined, 1, 2]);
    expect(closed).toBe(3);
  });
});

describe("a task that continues from a position in two parts", () => {
  test("opens its source once", async () => {
    const store = new MemoryStore();
    const inner = new TestingSource<string>();
    const opened: (Json | undefined)[] = [];
    const source: Source<string> = {
      partitioning: inner.partitioning,
      positions: {
        divide: (position) => ({
          head: null,
          fields: new Map([
            ["at", position],
            ["by", "who"],
          ]),
        }),
        unite: ({ fields }) => [...fields.keys(), fields.get("at") ?? null],
      },
      listParts: () => inner.listParts(),
      buildPart(part, resume, context) {
        opened.push(resume);
        return inner.buildPart(part, resume === undefined ? undefined : 1, context);
      },
    };
    const first = await FlowDriver.start(counts(source), { store, commitEveryEvents: 1 });
    inner.push(["a"]);
    await first.settle();
    await first.stop();
    const second = await FlowDriver.start(counts(source), { store });
    await second.stop();
    expect(opened).toEqual([undefined, ["at", "by", 1]]);
  });
});

describe("a position", () => {
  test.each([
    ["an iterable", new IterableSource<string>([])],
    ["a file", undefined],
  ])("of another source is refused by %s without opening it", async (_, given) => {
    const { JsonlFileSource } = await import("@millrace/dataflow");
    const source = given ?? new JsonlFileSource("/nowhere/at/all.jsonl");
    // Null is the position of what is read as a stream, such as a pipe.
    for (const position of [{ id: "1-1" }, "3", -1, 1.5, ...(given === undefined ? [] : [null])]) {
      expect(() => {
        source.checkPosition("part", position);
      }).toThrow(StateError);
    }
    expect(() => {
      source.checkPosition("part", 7);
    }).not.toThrow();
  });
});
