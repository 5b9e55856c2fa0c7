import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Dataflow, FileStore, IterableSource, MemoryStore, reconcile, run } from "@millrace/dataflow";
import type { DeadLetter, Source } from "@millrace/dataflow";
import { CrashingStore, FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { systemTime, tumbling } from "@millrace/windowing";
import { passing, sinkOf } from "./support/passing.ts";

describe("with a store", () => {
  const counts = (source: Source<string>): Dataflow => {
    const flow = new Dataflow("counts");
    flow
      .input("in", source)
      .keyBy("key", (key) => key)
      .window("w", tumbling(1_000), systemTime())
      .count("n")
      .output("out", new TestingSink());
    return flow;
  };

  test("every event is accounted for in a run that continues another", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<string>();
    const first = await FlowDriver.start(counts(source), { store });
    source.push(["a", "b"]);
    await first.settle();
    await first.stop();
    const second = await FlowDriver.start(counts(source), { store });
    source.push(["a"]);
    await second.settle();
    expect(reconcile(await second.stop())).toMatchObject({
      received: 1,
      windowed: 1,
      counted: 1,
      unaccounted: 0,
    });
  });

  test("results are committed as soon as their window has closed", async () => {
    const commits: number[] = [];
    const store = new CrashingStore(new MemoryStore(), ({ number }) => {
      commits.push(number);
      return undefined;
    });
    const source = new TestingSource<string>();
    const driver = await FlowDriver.start(counts(source), { store, commitEveryMs: 60_000 });
    source.push(["a"]);
    await driver.advanceTo(999);
    expect(commits).toEqual([1]);
    await driver.advanceTo(1_000);
    expect(commits).toEqual([1, 2]);
    await driver.stop();
  });

  test("a sink that belongs to one store is refused with any other store", async () => {
    const store = new MemoryStore();
    const sink = { ...sinkOf<number>({ takeOutputs: () => [] }), store };
    const flow = (): Dataflow => passing(new IterableSource([1]), sink);
    await expect(run(flow())).rejects.toMatchObject({ code: "MILLRACE_FLOW_INVALID" });
    const folder = await mkdtemp(join(tmpdir(), "millrace-refused-"));
    await expect(run(flow(), { store: new FileStore(folder) })).rejects.toMatchObject({
      code: "MILLRACE_FLOW_INVALID",
    });
    await expect(run(flow(), { store: new MemoryStore() })).rejects.toMatchObject({
      code: "MILLRACE_FLOW_INVALID",
    });
    await run(flow(), { store });
    await run(flow(), { store: new CrashingStore(store, () => undefined) });
    await rm(folder, { recursive: true });
  });

  test("a sink that passes rows to commits and names no store is refused: a store would drop them", async () => {
    const sink = sinkOf<number>({ takeOutputs: () => [] });
    const flow = passing(new IterableSource([1]), sink);
    const refused = run(flow, { store: new MemoryStore() });
    await expect(refused).rejects.toMatchObject({ code: "MILLRACE_FLOW_INVALID" });
    await expect(refused).rejects.toThrow(/"out": its sink .* names no store/);
  });

  test("a dead letter's rows are committed as any other sink's", async () => {
    const store = new MemoryStore();
    const letters: DeadLetter[] = [];
    const sink = sinkOf<DeadLetter>({
      writeBatch(rows) {
        letters.push(...rows);
        return Promise.resolve();
      },
      takeOutputs: () => [
        { step: "dead", target: null, rows: letters.splice(0).map(({ payload }) => payload) },
      ],
    });
    const flow = new Dataflow("letters", { deadLetter: { ...sink, store } });
    flow
      .input("in", new IterableSource(["bad"]))
      .decode("decode", { decode: () => ({ kind: "malformed", reason: { code: "x", message: "x" } }) })
      .output("out", new TestingSink());
    await run(flow, { store });
    const outputs = store.outputs({ flow: "letters", part: "iterable" });
    expect(outputs.flatMap(({ rows }) => rows)).toEqual(["bad"]);
  });
});
