import { SpanStatusCode, trace } from "@opentelemetry/api";
import { afterEach, describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore } from "@millrace/dataflow";
import type { RunOptions } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { traceRun } from "@millrace/observe/tracing";
import { systemTime, tumbling } from "@millrace/windowing";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";

/** A running flow that counts keys in windows of a second, and its source. */
async function counting(options: Omit<RunOptions, "time" | "signal">) {
  const source = new TestingSource<string>();
  const flow = new Dataflow("counting");
  flow
    .input("in", source)
    .keyBy("by", (key) => key)
    .window("w", tumbling(1_000), systemTime(), { pageSize: 2 })
    .count("n")
    .output("out", new TestingSink());
  const driver = await FlowDriver.start(flow, { ...options, startAt: 500, commitEveryMs: 60_000 });
  return { source, driver };
}

function tracing() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const spans = (name: string): ReadableSpan[] =>
    exporter.getFinishedSpans().filter((span) => span.name === name);
  return { provider, tracer: provider.getTracer("test"), spans };
}

afterEach(() => {
  trace.disable();
});

describe("the spans of a run", () => {
  test("are batches, closes by page, publishes and commits, with their attributes", async () => {
    const { tracer, spans } = tracing();
    const observers = [traceRun({ tracer, attributes: { "messaging.system": "redis" } })];
    const { source, driver } = await counting({ store: new MemoryStore(), observers });
    source.push(["a", "b", "c"]);
    await driver.advanceBy(500);
    await driver.stop();

    const common = { "millrace.flow": "counting", "millrace.part": "testing", "messaging.system": "redis" };
    expect(spans("millrace.batch").map(({ attributes }) => attributes)).toEqual([
      {
        ...common,
        "millrace.events": 3,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.batch.message_count": 3,
        "messaging.destination.partition.id": "testing",
      },
    ]);
    const close = {
      ...common,
      "millrace.step": "w.n",
      "millrace.cause": "watermark",
      "millrace.window.open": 0,
      "millrace.window.close": 1_000,
    };
    expect(spans("millrace.close").map(({ attributes }) => attributes)).toEqual([
      { ...close, "millrace.rows": 2 },
      { ...close, "millrace.rows": 1 },
    ]);
    expect(spans("millrace.publish").map(({ attributes }) => attributes["millrace.rows"])).toEqual([2, 1]);
    expect(spans("millrace.publish")[0]?.attributes).toEqual({
      ...common,
      "millrace.step": "out",
      "millrace.rows": 2,
      "messaging.operation.name": "publish",
      "messaging.operation.type": "send",
      "messaging.batch.message_count": 2,
    });
    expect(spans("millrace.commit")[1]?.attributes).toEqual({
      ...common,
      "millrace.commit.number": 2,
      "millrace.commit.partial": true,
      "millrace.changes": expect.any(Number),
      "millrace.rows": 0,
    });
    for (const { status, parentSpanContext } of spans("millrace.commit")) {
      expect([status.code, parentSpanContext]).toEqual([SpanStatusCode.UNSET, undefined]);
    }
  });

  test("have the times of the run's own clock", async () => {
    const { tracer, spans } = tracing();
    const { source, driver } = await counting({ observers: [traceRun({ tracer })] });
    source.push(["a"]);
    await driver.advanceBy(600);
    await driver.stop();
    const [batch] = spans("millrace.batch");
    const [close] = spans("millrace.close");
    expect([batch?.startTime, batch?.endTime]).toEqual([
      [0, 500_000_000],
      [0, 500_000_000],
    ]);
    expect(close?.startTime).toEqual([1, 0]);
  });

  test("of a batch has links to what began during it, and not to what came before", () => {
    const { tracer, spans } = tracing();
    const observer = traceRun({ tracer });
    const timed = { part: "p", durationMs: 1 };
    observer.rowsWritten?.({ ...timed, startedAt: 5, step: "out", rows: 1 });
    observer.rowsWritten?.({ ...timed, startedAt: 12.25, step: "out", rows: 2 });
    observer.rowsWritten?.({ ...timed, part: "q", startedAt: 13, step: "out", rows: 3 });
    observer.batchDone?.({ ...timed, startedAt: 12, durationMs: 2.5, events: 1 });
    observer.batchDone?.({ ...timed, startedAt: 20, events: 1 });
    const [first, second] = spans("millrace.batch");
    expect(first?.links.map(({ context }) => context.spanId)).toEqual([
      spans("millrace.publish")[1]?.spanContext().spanId,
    ]);
    expect(first?.endTime).toEqual([0, 14_500_000]);
    expect(second?.links).toEqual([]);
  });

  test("of a batch has at most 128 links", () => {
    const { tracer, spans } = tracing();
    const observer = traceRun({ tracer });
    for (let i = 0; i < 200; i++) {
      observer.rowsWritten?.({ part: "p", startedAt: i, durationMs: 0, step: "out", rows: 1 });
    }
    observer.batchDone?.({ part: "p", startedAt: 0, durationMs: 1, events: 1 });
    expect(spans("millrace.batch")[0]?.links).toHaveLength(128);
  });

  test("leave out early results and revisions", () => {
    const { tracer, spans } = tracing();
    const observer = traceRun({ tracer });
    const window = { id: 0, open: 0, close: 10, mergedIds: [] };
    const row = { key: "k", value: 1, window, revision: 0, complete: true, part: "p" } as const;
    const emitted = { part: "p", step: "w", at: 10 };
    observer.resultsEmitted?.({ ...emitted, results: [{ ...row, cause: "early" }] });
    observer.resultsEmitted?.({
      ...emitted,
      results: [
        { ...row, cause: "end" },
        { ...row, cause: "late", revision: 1 },
      ],
    });
    expect(spans("millrace.close").map(({ attributes }) => attributes["millrace.rows"])).toEqual([1]);
  });

  test("go to the tracer provider that is registered, also if that happens later", async () => {
    const { provider, spans } = tracing();
    const { source, driver } = await counting({ observers: [traceRun()] });
    source.push(["a"]);
    await driver.settle();
    trace.setGlobalTracerProvider(provider);
    source.push(["b"]);
    await driver.settle();
    await driver.stop();
    const [batch, ...others] = spans("millrace.batch");
    expect([batch?.attributes["millrace.events"], others]).toEqual([1, []]);
    expect(batch?.instrumentationScope.name).toBe("@millrace/observe");
  });

  test("are not made without an SDK, and nothing of a result is looked at", () => {
    const row = {
      key: "k",
      value: 1,
      get window(): never {
        throw new Error("looked at");
      },
      revision: 0,
      cause: "end",
      complete: true,
      part: "p",
    } as const;
    const observer = traceRun();
    expect(() => {
      observer.resultsEmitted?.({ part: "p", step: "w", at: 10, results: [row] });
    }).not.toThrow();
  });
});
