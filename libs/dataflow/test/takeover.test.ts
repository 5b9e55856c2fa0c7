import { appendFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Dataflow, JsonlFileSink, MemoryStore, StateError } from "@millrace/dataflow";
import type { Json, PartResult, Sink, SinkPartition, Source, Store } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { counts } from "./support/counting-flow.ts";

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
