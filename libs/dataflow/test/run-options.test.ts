import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Dataflow, IterableSource, JsonlFileSource, MemoryStore, run, start } from "@millrace/dataflow";
import type { LineOptions, MapAsyncOptions, RunOptions } from "@millrace/dataflow";
import { TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { passing } from "./support/passing.ts";

describe("options", () => {
  test("have their defaults if they are undefined", async () => {
    const out = new TestingSink<number>();
    const given = { logger: undefined, time: undefined, commitEveryMs: undefined, store: undefined };
    // As JavaScript, or a program that is compiled with other settings, may call it.
    await run(passing(new IterableSource([1]), out), given as unknown as RunOptions);
    expect(out.rows).toEqual([1]);
  });

  test("of a step or a source have their defaults if they are undefined", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-options-"));
    const path = join(folder, "lines.jsonl");
    await writeFile(path, "1\n2\n");
    const none = { chunkBytes: undefined, maxLineBytes: undefined } as unknown as LineOptions;
    const some = { concurrency: undefined, retries: undefined } as unknown as MapAsyncOptions;
    const out = new TestingSink<number>();
    const flow = new Dataflow("undefined");
    flow
      .input("in", new JsonlFileSource(path, none))
      .mapAsync("number", (line) => Promise.resolve(Number(line)), some)
      .output("out", out);
    await run(flow);
    expect(out.rows).toEqual([1, 2]);
    await rm(folder, { recursive: true });
  });

  test("that name a partition twice are refused: it would fence itself", async () => {
    const flow = passing(new TestingSource<number>({ parts: ["a", "b"] }), new TestingSink<number>());
    const handle = start(flow, { parts: ["a", "b", "a"], store: new MemoryStore() });
    await expect(handle.done).rejects.toMatchObject({
      code: "MILLRACE_FLOW_INVALID",
      message: expect.stringContaining("partition a is named more than once"),
    });
  });
});
