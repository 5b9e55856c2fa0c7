import { copyFile, mkdtemp, readFile, rm, appendFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import {
  FileStore,
  IterableSource,
  JsonlFileSink,
  JsonlFileSource,
  MemoryStore,
  ReadableSource,
  WritableSink,
} from "@millrace/dataflow";
import {
  TestingSink,
  TestingSource,
  sinkConformance,
  sourceConformance,
  storeConformance,
} from "@millrace/dataflow/testing";
import type { Commit } from "@millrace/dataflow";
import type { ConformanceCase } from "@millrace/dataflow/testing";

function suite(name: string, cases: readonly ConformanceCase[]): void {
  describe(name, () => {
    test.each(cases)("$name", ({ run }) => run());
  });
}

const line = (n: number): string => `{"n":${n}}`;

async function withFolder<T>(use: (folder: string, close: () => Promise<void>) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-test-"));
  return use(folder, () => rm(folder, { recursive: true }));
}

suite(
  "TestingSource is a source",
  sourceConformance({
    open: () => {
      const source = new TestingSource<number>();
      return Promise.resolve({
        source,
        put: (part: string, events: readonly number[]) => {
          source.push(events, { part });
          return Promise.resolve();
        },
        close: () => Promise.resolve(),
      });
    },
    event: (n) => n,
    resumes: true,
  }),
);

suite(
  "JsonlFileSource is a source",
  sourceConformance({
    open: () =>
      withFolder(async (folder, close) => {
        const path = join(folder, "events.jsonl");
        await writeFile(path, "");
        const put = (_: string, events: readonly (string | Uint8Array)[]): Promise<void> =>
          appendFile(path, events.map((event) => `${String(event)}\n`).join(""));
        return { source: new JsonlFileSource(path, { chunkBytes: 64 }), put, close };
      }),
    event: line,
    resumes: true,
    finite: true,
  }),
);

suite(
  "ReadableSource is a source",
  sourceConformance({
    open: () => {
      const pipe = new PassThrough();
      const put = (_: string, events: readonly (string | Uint8Array)[]): Promise<void> => {
        pipe.write(events.map((event) => `${String(event)}\n`).join(""));
        return Promise.resolve();
      };
      const close = (): Promise<void> => {
        pipe.destroy();
        return Promise.resolve();
      };
      return Promise.resolve({ source: new ReadableSource(pipe, "pipe"), put, close });
    },
    event: line,
    resumes: false,
  }),
);

suite(
  "IterableSource is a source",
  sourceConformance({
    open: () => {
      const events: number[] = [];
      const put = (_: string, more: readonly number[]): Promise<void> => {
        events.push(...more);
        return Promise.resolve();
      };
      return Promise.resolve({
        source: new IterableSource(events, { batchSize: 7 }),
        put,
        close: () => Promise.resolve(),
      });
    },
    event: (n) => n,
    resumes: true,
    finite: true,
  }),
);

suite(
  "IterableSource is a source, over an async iterable",
  sourceConformance({
    open: () => {
      const events: number[] = [];
      let more: () => void = () => undefined;
      const iterable = (from: number): AsyncIterable<number> => ({
        async *[Symbol.asyncIterator]() {
          for (let next = from; ;) {
            for (; next < events.length; next += 1) yield events[next] ?? -1;
            await new Promise<void>((resolve) => (more = resolve));
          }
        },
      });
      return Promise.resolve({
        source: new IterableSource(iterable(0)),
        put: (_: string, put: readonly number[]) => {
          events.push(...put);
          more();
          return Promise.resolve();
        },
        close: () => Promise.resolve(),
      });
    },
    event: (n) => n,
    resumes: true,
  }),
);

suite(
  "TestingSink is a sink",
  sinkConformance({
    open: () => {
      const sink = new TestingSink<number>();
      return Promise.resolve({
        sink,
        read: () => Promise.resolve(sink.rows),
        close: () => Promise.resolve(),
      });
    },
    row: (n) => n,
    resumes: false,
  }),
);

suite(
  "JsonlFileSink is a sink",
  sinkConformance({
    open: () =>
      withFolder((folder, close) => {
        const read = async (): Promise<readonly unknown[]> => {
          const text = await readFile(join(folder, "rows-0.jsonl"), "utf8");
          return text
            .split("\n")
            .slice(0, -1)
            .map((row): unknown => JSON.parse(row));
        };
        return Promise.resolve({
          sink: new JsonlFileSink<unknown>(join(folder, "rows-{part}.jsonl")),
          read,
          close,
        });
      }),
    row: (n) => ({ n }),
    resumes: true,
  }),
);

suite(
  "WritableSink is a sink",
  sinkConformance({
    open: () => {
      const pipe = new PassThrough();
      const read = (): Promise<readonly string[]> =>
        Promise.resolve(String(pipe.read()).split("\n").slice(0, -1));
      const destroy = (): Promise<void> => {
        pipe.destroy();
        return Promise.resolve();
      };
      const close = (): Promise<void> => Promise.resolve();
      return Promise.resolve({ sink: new WritableSink<string>(pipe), read, break: destroy, close });
    },
    row: line,
    resumes: false,
  }),
);

suite(
  "MemoryStore is a store",
  storeConformance({
    open: () => {
      const store = new MemoryStore();
      return Promise.resolve({ store, reopen: () => Promise.resolve(store), close: () => Promise.resolve() });
    },
  }),
);

suite(
  "FileStore is a store",
  storeConformance({
    open: () =>
      withFolder((folder, close) =>
        Promise.resolve({
          store: new FileStore(folder),
          reopen: () => Promise.resolve(new FileStore(folder)),
          close,
        }),
      ),
  }),
);

test("FileStore: if two owners write the same commit, the second is fenced", () =>
  withFolder(async (folder, close) => {
    const task = { flow: "suite", part: "0" };
    const commitOf = (number: number, position: string): Commit => ({
      number,
      format: 1,
      signature: "suite v1",
      position,
      sinks: {},
      changes: [],
      outputs: [],
      partial: false,
      watermark: null,
      counts: null,
    });
    // What an owner that was replaced did between the two looks that a commit of the new owner begins and ends with.
    const elsewhere = await new FileStore(join(folder, "elsewhere")).acquire(task);
    for (const number of [1, 2]) await elsewhere.commit(commitOf(number, "old"));
    const store = new FileStore(join(folder, "store"));
    await (await store.acquire(task)).commit(commitOf(1, "old"));
    const owner = await store.acquire(task);
    await owner.load();
    const commit = join(encodeURIComponent(task.flow), task.part, "commit-2");
    await copyFile(join(folder, "elsewhere", commit), join(folder, "store", commit));
    expect(await owner.commit(commitOf(2, "new"))).toEqual({ kind: "rolled-back", stored: 2 });
    expect(await owner.load()).toMatchObject({ commitNumber: 2, position: "old" });
    expect(await owner.commit(commitOf(3, "new"))).toMatchObject({ kind: "applied" });
    await close();
  }));
