import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import { SILENT_LOGGER } from "../contracts/logger.ts";
import type { Sink } from "../contracts/sink.ts";
import type { PartContext } from "../contracts/source.ts";
import { SYSTEM_TIME } from "../contracts/time-provider.ts";
import { within } from "./conformance.ts";
import type { ConformanceCase } from "./conformance.ts";

/** A sink that a suite may use up, with access to its output. */
export interface SinkFixture<T> {
  readonly sink: Sink<T>;
  /** The rows that arrived so far. */
  readonly read: () => Promise<readonly T[]>;
  /** Removes the medium for good, so that rows can no longer be written. Absent: not possible. */
  readonly break?: () => Promise<void>;
  /** Removes what the fixture created. */
  readonly close: () => Promise<void>;
}

/** Properties of a sink that the suite needs. */
export interface SinkHarness<T> {
  /** A fresh sink. */
  readonly open: () => Promise<SinkFixture<T>>;
  /** The n-th of a series of different rows. */
  readonly row: (n: number) => T;
  /** A sink built from a snapshot undoes what was written after it. */
  readonly resumes: boolean;
}

/** How long (ms) a sink may try to write before it must report an error. */
const FLUSH_MS = 30_000;

const CONTEXT: PartContext = {
  flow: "conformance",
  step: "suite",
  logger: SILENT_LOGGER,
  time: SYSTEM_TIME,
  signal: new AbortController().signal,
  reject: () => undefined,
  fail: () => undefined,
};

/** What every {@link Sink} must do. */
export function sinkConformance<T>({ open, row, resumes }: SinkHarness<T>): readonly ConformanceCase[] {
  const rows = (from: number, to: number): T[] => Array.from({ length: to - from }, (_, i) => row(from + i));
  const using = (use: (fixture: SinkFixture<T>) => Promise<void>) => async (): Promise<void> => {
    const fixture = await open();
    try {
      await use(fixture);
    } finally {
      await fixture.close();
    }
  };
  const cases: ConformanceCase[] = [
    {
      name: "writes every row once, in order",
      run: using(async ({ sink, read }) => {
        const part = await sink.buildPart("0", undefined, CONTEXT);
        await part.writeBatch(rows(0, 3));
        await part.writeBatch(rows(3, 10));
        await part.flush();
        await part.close();
        deepStrictEqual(await read(), rows(0, 10));
      }),
    },
    {
      name: "what a flush promised is readable, with the sink still open",
      run: using(async ({ sink, read }) => {
        const part = await sink.buildPart("0", undefined, CONTEXT);
        await part.flush();
        await part.writeBatch(rows(0, 3));
        await part.flush();
        await part.flush();
        deepStrictEqual(await read(), rows(0, 3));
        await part.close();
      }),
    },
    {
      name: "flush rejects when rows cannot be written any more",
      run: using(async (fixture) => {
        if (fixture.break === undefined) return;
        const part = await fixture.sink.buildPart("0", undefined, CONTEXT);
        const written = fixture.break().then(() => part.writeBatch(rows(0, 3)));
        // A sink may refuse rows at once, or accept them and fail to write them: either must be reported.
        const flushed = written.then(() => part.flush());
        await within(rejects(flushed), FLUSH_MS, "a flush to a medium that is gone");
        await within(part.close(), FLUSH_MS, "closing a sink whose medium is gone");
      }),
    },
    {
      name: "opening one disturbs none that writes, unless the sink has a look of its own",
      run: using(async ({ sink, read }) => {
        if (sink.checkResume !== undefined) return;
        const part = await sink.buildPart("0", undefined, CONTEXT);
        await part.writeBatch(rows(0, 3));
        await part.flush();
        // Another worker that is refused before it acquires the task.
        await (await sink.buildPart("0", await part.snapshot?.(), CONTEXT)).close();
        await part.writeBatch(rows(3, 6));
        await part.flush();
        await part.close();
        deepStrictEqual(await read(), rows(0, 6));
      }),
    },
    {
      name: "close can be called again",
      run: using(async ({ sink }) => {
        const part = await sink.buildPart("0", undefined, CONTEXT);
        await part.close();
        await part.close();
      }),
    },
  ];
  if (!resumes) return cases;
  return [
    ...cases,
    {
      name: "undoes what was written after the snapshot it resumes from",
      run: using(async ({ sink, read }) => {
        const first = await sink.buildPart("0", undefined, CONTEXT);
        await first.writeBatch(rows(0, 2));
        await first.flush();
        const position = await first.snapshot?.();
        ok(position !== undefined, "a sink that resumes has a position");
        await first.writeBatch(rows(50, 60));
        await first.flush();
        await first.close();
        const second = await sink.buildPart("0", position, CONTEXT);
        await second.writeBatch(rows(2, 4));
        await second.flush();
        await second.close();
        deepStrictEqual(await read(), rows(0, 4));
      }),
    },
  ];
}
