import { PassThrough } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import { IterableSource, MemoryStore, ReadableSource, start } from "@millrace/dataflow";
import type { Store } from "@millrace/dataflow";
import { TestingSink, TestingSource, VirtualTime } from "@millrace/dataflow/testing";
import { passing, sinkOf } from "./support/passing.ts";

describe("stopping", () => {
  test("ends a source that never ends and has no stop()", async () => {
    const endless = (function* () {
      for (let n = 0; ; n++) yield n;
    })();
    const out = new TestingSink<number>();
    const handle = start(passing(new IterableSource(endless), out));
    while (out.rows.length < 1_000) await new Promise((resolve) => setImmediate(resolve));
    await handle.stop();
    expect(out.rows).toEqual(out.rows.map((_, n) => n));
  });

  test("makes no event of an incomplete line", async () => {
    const pipe = new PassThrough();
    const out = new TestingSink<string | Uint8Array>();
    const handle = start(passing(new ReadableSource(pipe, "pipe"), out));
    pipe.write('{"a":1}\n{"half":');
    while (out.rows.length < 1) await new Promise((resolve) => setImmediate(resolve));
    await handle.stop();
    expect(out.rows).toEqual(['{"a":1}']);
  });

  test("after the end sets no alarm, which would keep the process alive", async () => {
    const time = new VirtualTime();
    const handle = start(passing(new IterableSource([1]), new TestingSink<number>()), { time });
    await handle.done;
    await handle.stop();
    expect(time.nextAlarm).toBeUndefined();
  });

  test.each(["acquire", "writeBatch"] as const)("gives up at its deadline when %s hangs", async (hanging) => {
    const never = new Promise<never>(() => undefined);
    const time = new VirtualTime();
    const source = new TestingSource<number>();
    source.push([1]);
    const store: Store = {
      look: () => Promise.resolve(undefined),
      acquire: () => never,
      close: () => Promise.resolve(),
    };
    const flow = passing<number>(
      source,
      sinkOf<number>(hanging === "writeBatch" ? { writeBatch: () => never } : {}),
    );
    const handle = start(flow, { time, drainTimeoutMs: 500, ...(hanging === "acquire" ? { store } : {}) });
    await time.yield();
    const stopped = handle.stop();
    time.set(500);
    await expect(stopped).rejects.toMatchObject({ code: "MILLRACE_DRAIN_TIMEOUT" });
  });
});

describe("the error of a run that is given up", () => {
  async function givenUp(store?: Store): Promise<unknown> {
    const time = new VirtualTime();
    const source = new TestingSource<number>();
    let taken = 0;
    const sink = sinkOf<number>({
      writeBatch: () => ((taken += 1) > 1 ? new Promise<never>(() => undefined) : Promise.resolve()),
    });
    const handle = start(passing(source, sink), {
      time,
      drainTimeoutMs: 500,
      ...(store === undefined ? {} : { store }),
    });
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 20; turn++) await time.yield();
    };
    await turns();
    source.push([1, 2]);
    await turns();
    source.push([3, 4, 5]);
    await turns();
    const stopped = handle.stop().catch((error: unknown) => error);
    time.set(500);
    return await stopped;
  }

  test("counts what is missing without a store", async () => {
    expect(await givenUp()).toMatchObject({
      code: "MILLRACE_DRAIN_TIMEOUT",
      message: expect.stringMatching(/up to 3 rows were not written; nothing is kept/),
    });
  });

  test("counts what is in no commit with a store", async () => {
    expect(await givenUp(new MemoryStore())).toMatchObject({
      message: expect.stringMatching(/from the last commit: the 5 events read since then are read again if/),
    });
  });
});
