import { describe, expect, test } from "@jest/globals";
import { Dataflow, IterableSource, run } from "@millrace/dataflow";
import { CallbackSink } from "@millrace/dataflow";
import { RepeatingSource } from "../../src/publish/repeating-source.ts";

describe("RepeatingSource", () => {
  test("repeats the input until it is stopped", async () => {
    const seen: number[] = [];
    const stop = new AbortController();
    const flow = new Dataflow("again");
    flow.input("in", new RepeatingSource(new IterableSource([1, 2, 3], { batchSize: 2 }))).output(
      "out",
      new CallbackSink<number>((rows) => {
        seen.push(...rows);
        if (seen.length > 6) stop.abort();
      }),
    );
    await run(flow, { signal: stop.signal });
    expect(seen.slice(0, 8)).toEqual([1, 2, 3, 1, 2, 3, 1, 2]);
  });

  test("refuses an input without events, which it would reopen in an endless loop", async () => {
    const flow = new Dataflow("again");
    flow
      .input("in", new RepeatingSource(new IterableSource([])))
      .output("out", new CallbackSink(() => undefined));
    await expect(run(flow)).rejects.toThrow("cannot repeat iterable: it has no events");
  });
});
