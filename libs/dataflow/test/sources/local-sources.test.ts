import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import { Dataflow, IterableSource, JsonlFileSource, ReadableSource } from "@millrace/dataflow";
import type { PartContext, RawLine, Source } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource, VirtualTime } from "@millrace/dataflow/testing";
import { eventTime, systemTime, tumbling } from "@millrace/windowing";
import { loggerOf } from "../support/logger-of.ts";
import { withoutProof } from "../support/without-proof.ts";

/** Counts of 100 ms, of events that are their own timestamps. */
function counting(source: Source<RawLine>, out: TestingSink<string>, idle?: "never"): Dataflow {
  const flow = new Dataflow("counting");
  flow
    .input("in", source)
    .keyBy("all", () => "all")
    .window("w", tumbling(100), eventTime(Number, { wait: 0 }), idle === undefined ? {} : { idle })
    .count("n")
    .map("row", ({ value, window, cause }) => `${window.open}: ${value} by ${cause}`)
    .output("out", out);
  return flow;
}

/** Events that come when a test says so. */
function feed(): { readonly events: AsyncIterable<string>; readonly give: (event: string) => void } {
  const waiting: string[] = [];
  let wake: () => void = () => undefined;
  async function* events(): AsyncGenerator<string> {
    for (;;) {
      for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) yield event;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  return {
    events: events(),
    give(event) {
      waiting.push(event);
      wake();
    },
  };
}

describe("windows close without a next event", () => {
  test("over an async iterable", async () => {
    const { events, give } = feed();
    const out = new TestingSink<string>();
    const driver = await FlowDriver.start(counting(new IterableSource(events), out));
    give("10");
    give("20");
    await driver.settle();
    await driver.advanceTo(50);
    expect(out.take()).toEqual([]);
    await driver.advanceTo(200);
    expect(out.take()).toEqual(["0: 2 by watermark"]);
    give("250");
    await driver.settle();
    await driver.advanceTo(400);
    expect(out.take()).toEqual(["200: 1 by watermark"]);
    await driver.stop();
  });

  test("over a pipe, but not within a line", async () => {
    const pipe = new PassThrough();
    const out = new TestingSink<string>();
    const driver = await FlowDriver.start(counting(new ReadableSource(pipe, "pipe"), out));
    pipe.write("10\n2");
    await driver.settle();
    await driver.advanceTo(1_000);
    expect(out.take()).toEqual([]);
    pipe.write("0\n");
    await driver.settle();
    await driver.advanceTo(2_000);
    expect(out.take()).toEqual(["0: 2 by watermark"]);
    await driver.stop();
  });
});

describe("a run ends when it is idle", () => {
  test("over an async iterable, which is released", async () => {
    const { events, give } = feed();
    const out = new TestingSink<string>();
    const driver = await FlowDriver.start(counting(new IterableSource(events), out), { exitWhenIdleMs: 500 });
    await driver.advanceTo(5_000);
    expect(driver.stats().tasks[0]?.phase).toBe("waiting");
    give("10");
    await driver.settle();
    await driver.advanceTo(6_000);
    await driver.done;
    expect(out.rows).toEqual(["0: 1 by watermark"]);
  });

  test("over standard input that stays open", async () => {
    const pipe = new PassThrough();
    const out = new TestingSink<string>();
    const driver = await FlowDriver.start(counting(new ReadableSource(pipe, "stdin"), out), {
      exitWhenIdleMs: 500,
    });
    pipe.write("10\n");
    await driver.settle();
    await driver.advanceTo(1_000);
    await driver.done;
    expect(out.rows).toEqual(["0: 1 by watermark"]);
  });
});

describe("a proof", () => {
  const contextOf = (time: VirtualTime): PartContext => ({
    flow: "test",
    step: "in",
    ...loggerOf(),
    time,
    signal: new AbortController().signal,
    reject: () => undefined,
    fail: () => undefined,
  });

  test("is for the instant of its request, and fails if an event comes before its answer", async () => {
    const { events, give } = feed();
    const time = new VirtualTime(1_000);
    const partition = await new IterableSource(events).buildPart("iterable", undefined, contextOf(time));
    const asked = partition.drained?.();
    time.set(2_000);
    expect(await asked).toEqual({ at: 1_000, connection: 1 });
    const beaten = partition.drained?.();
    give("an event");
    expect(await beaten).toBeUndefined();
    expect(await partition.nextBatch()).toEqual({ kind: "batch", events: ["an event"] });
    // Also where the event was handed out before the proof was complete.
    const overtaken = partition.drained?.();
    const batch = partition.nextBatch();
    give("another");
    await batch;
    const next = partition.nextBatch();
    expect(await overtaken).toBeUndefined();
    await partition.close();
    expect(await next).toEqual({ kind: "end" });
  });

  test("is not given by a file, which has more until its end", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-local-"));
    const path = join(folder, "events.jsonl");
    await writeFile(path, "1\n".repeat(10));
    const context = contextOf(new VirtualTime());
    for (const source of [new JsonlFileSource(path), new ReadableSource(createReadStream(path), path)]) {
      const partition = await source.buildPart(path, undefined, context);
      expect(await partition.drained?.()).toBeUndefined();
      expect(await partition.nextBatch()).toMatchObject({ kind: "batch" });
      expect(await partition.drained?.()).toBeUndefined();
      await partition.close();
    }
    await rm(folder, { recursive: true });
  });
});

describe("a source that cannot prove that it is drained", () => {
  test.each([
    [undefined, "windows of w.n close only when a later event comes or the input ends"],
    ["never", undefined],
  ] as const)("is named at the start where windows need it: idle %s", async (idle, warning) => {
    const { logger, logged } = loggerOf();
    const source = withoutProof(new TestingSource<RawLine>());
    const driver = await FlowDriver.start(counting(source, new TestingSink(), idle), { logger });
    await driver.stop();
    expect(logged("warn")).toEqual(
      warning === undefined
        ? []
        : [
            {
              event: "never-drained",
              step: "in",
              part: "testing",
              windows: ["w.n"],
              message: `the source of "in", partition "testing", cannot prove that nothing is left to read: ${warning}`,
            },
          ],
    );
  });

  test("is enough for windows on the system clock", async () => {
    const { logger, logged } = loggerOf();
    const flow = new Dataflow("by_arrival");
    flow
      .input("in", withoutProof(new TestingSource<string>()))
      .keyBy("all", () => "all")
      .window("w", tumbling(100), systemTime())
      .count("n")
      .output("out", new TestingSink());
    const driver = await FlowDriver.start(flow, { logger });
    await driver.stop();
    expect(logged("warn")).toEqual([]);
  });
});
