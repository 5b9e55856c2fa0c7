import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Json } from "@millrace/windowing";
import { SILENT_LOGGER } from "../contracts/logger.ts";
import type { PartContext, Source, SourcePartition } from "../contracts/source.ts";
import { SYSTEM_TIME } from "../contracts/time-provider.ts";
import { stateOf, within } from "./conformance.ts";
import type { ConformanceCase } from "./conformance.ts";

/** A source that a suite may use up, with access to its input. */
export interface SourceFixture<T> {
  readonly source: Source<T>;
  /** Adds events to the input of one partition, after earlier ones. */
  readonly put: (part: string, events: readonly T[]) => Promise<void>;
  /** Removes what the fixture created. */
  readonly close: () => Promise<void>;
}

/** Properties of a source that the suite needs. */
export interface SourceHarness<T> {
  /** A fresh, empty source. */
  readonly open: () => Promise<SourceFixture<T>>;
  /** The n-th of a series of different events. */
  readonly event: (n: number) => T;
  /** A partition built from a snapshot continues right after it. */
  readonly resumes: boolean;
  /** It can prove that nothing is left to read. Flows warn of a source without this proof. @default true */
  readonly proves?: boolean;
  /** The input is complete before the source opens (a file): it ends instead of waiting for more. */
  readonly finite?: boolean;
}

/** How long (ms) outstanding calls may take to settle after the close of their partition. */
const SETTLE_MS = 30_000;

const CONTEXT: PartContext = {
  flow: "conformance",
  step: "suite",
  logger: SILENT_LOGGER,
  time: SYSTEM_TIME,
  signal: new AbortController().signal,
  reject: () => undefined,
  fail: () => undefined,
};

/** What every {@link Source} must do. */
export function sourceConformance<T>(harness: SourceHarness<T>): readonly ConformanceCase[] {
  const { event, resumes, proves = true, finite = false } = harness;
  const events = (from: number, to: number): T[] =>
    Array.from({ length: to - from }, (_, i) => event(from + i));
  const using = (use: (suite: Suite<T>) => Promise<void>) => async (): Promise<void> => {
    const suite = new Suite(await harness.open());
    try {
      await use(suite);
    } finally {
      await suite.close();
    }
  };

  const always: ConformanceCase[] = [
    {
      name: "lists the same partitions each time, at least one and none twice",
      run: using(async ({ fixture: { source } }) => {
        const parts = await source.listParts();
        ok(parts.length > 0);
        strictEqual(new Set(parts).size, parts.length);
        deepStrictEqual(await source.listParts(), parts);
        ok(source.partitioning.kind !== "single" || parts.length === 1, "a single partition is declared");
      }),
    },
    {
      name: "delivers every event once, in order",
      run: using(async (suite) => {
        const { partition, put } = await suite.build(finite ? events(0, 50) : []);
        if (!finite) {
          await put(events(0, 20));
          await put(events(20, 50));
        }
        deepStrictEqual(await read(partition, 50), events(0, 50));
      }),
    },
    {
      name: "close can be called again, and settles what is outstanding",
      run: using(async (suite) => {
        const { partition } = await suite.build([]);
        const outstanding = [partition.nextBatch(), partition.drained?.() ?? Promise.resolve()];
        const settled = Promise.allSettled(outstanding);
        await partition.close();
        await partition.close();
        await within(settled, SETTLE_MS, "what was outstanding when the partition was closed");
      }),
    },
  ];

  const endless: ConformanceCase[] = [
    {
      name: "waits for events without giving empty batches",
      run: using(async (suite) => {
        const { partition, put } = await suite.build([]);
        const batch = partition.nextBatch();
        strictEqual(await stateOf(batch), "pending");
        await put(events(0, 1));
        const got = await batch;
        deepStrictEqual(got.kind === "batch" ? got.events : [], events(0, 1));
      }),
    },
    {
      name: "proves that it is drained only when nothing is left to read",
      run: using(async (suite) => {
        const { partition, put } = await suite.build([]);
        strictEqual(partition.drained !== undefined, proves, "a source that can prove it has drained()");
        if (partition.drained === undefined) return;
        const before = SYSTEM_TIME.now();
        const proof = await partition.drained();
        ok(proof !== undefined, "an empty partition is drained");
        ok(
          proof.at >= before && proof.at <= SYSTEM_TIME.now(),
          "the proof's instant is when the probe was sent",
        );
        await put(events(0, 3));
        strictEqual(await partition.drained(), undefined, "events that were not delivered are waiting");
        deepStrictEqual(await read(partition, 3), events(0, 3));
        const again = await partition.drained();
        strictEqual(again?.connection, proof.connection, "the connection has not changed");
      }),
    },
    {
      name: "proves it also while a read waits, and gives that read the next event",
      run: using(async (suite) => {
        const { partition, put } = await suite.build([]);
        if (partition.drained === undefined) return;
        const waiting = partition.nextBatch();
        ok((await partition.drained()) !== undefined, "an empty partition is drained");
        strictEqual(await stateOf(waiting), "pending");
        await put(events(0, 1));
        const got = await waiting;
        deepStrictEqual(got.kind === "batch" ? got.events : [], events(0, 1));
      }),
    },
    {
      name: "after stop, gives what it had read and ends",
      run: using(async (suite) => {
        const { partition, put } = await suite.build([]);
        if (partition.stop === undefined) return;
        await put(events(0, 2));
        // Until a probe is answered the events may still be in-flight.
        await partition.drained?.();
        partition.stop();
        const given = await read(partition, 3);
        if (resumes && given.length < 2) {
          // Events that a later run can read may stay unread.
          const later = await suite.build([], partition.snapshot());
          given.push(...(await read(later.partition, 2 - given.length)));
        }
        deepStrictEqual(given, events(0, 2));
      }),
    },
    {
      name: "stop ends a read that waits",
      run: using(async (suite) => {
        const { partition } = await suite.build([]);
        if (partition.stop === undefined) return;
        const waiting = partition.nextBatch();
        partition.stop();
        strictEqual((await waiting).kind, "end");
      }),
    },
  ];

  const ending: ConformanceCase[] = [
    {
      name: "is not drained before its end",
      run: using(async (suite) => {
        const { partition } = await suite.build(events(0, 50));
        strictEqual(partition.drained !== undefined, proves, "a source that can prove it has drained()");
        strictEqual(await partition.drained?.(), undefined);
        deepStrictEqual(await read(partition, 50), events(0, 50));
      }),
    },
  ];

  const resuming: ConformanceCase[] = [
    {
      name: "continues right after a snapshot",
      run: using(async (suite) => {
        const first = await suite.build(finite ? events(0, 40) : []);
        const before = SYSTEM_TIME.now();
        if (!finite) await first.put(events(0, 10));
        const head = await read(first.partition, 1);
        const position: Json = first.partition.snapshot();
        const { source } = suite.fixture;
        source.checkPosition?.(first.part, position);
        const after = source.wholeAfter?.(source.positions?.divide(position).head ?? position) ?? before;
        ok(
          (finite || after >= before) && after <= SYSTEM_TIME.now() + 1,
          "all that is published from this time on comes after the position",
        );
        await first.partition.close();
        const second = await suite.build([], position);
        if (!finite) await second.put(events(10, 40));
        deepStrictEqual([...head, ...(await read(second.partition, 40 - head.length))], events(0, 40));
      }),
    },
  ];
  return [...always, ...(finite ? ending : endless), ...(resumes ? resuming : [])];
}

/** One fixture and what was built from it. */
class Suite<T> {
  readonly fixture: SourceFixture<T>;
  readonly #partitions: SourcePartition<T>[] = [];

  constructor(fixture: SourceFixture<T>) {
    this.fixture = fixture;
  }

  /** Opens the first partition, after adding `events` to it. */
  async build(
    events: readonly T[],
    resume?: Json,
  ): Promise<{
    readonly part: string;
    readonly partition: SourcePartition<T>;
    readonly put: (events: readonly T[]) => Promise<void>;
  }> {
    const { source } = this.fixture;
    const [part] = await source.listParts();
    ok(part !== undefined);
    if (events.length > 0) await this.fixture.put(part, events);
    const partition = await source.buildPart(part, resume, CONTEXT);
    this.#partitions.push(partition);
    return { part, partition, put: (more) => this.fixture.put(part, more) };
  }

  async close(): Promise<void> {
    for (const partition of this.#partitions) await partition.close();
    await this.fixture.close();
  }
}

/** Reads batches until there are `count` events; at least one batch. */
async function read<T>(partition: SourcePartition<T>, count: number): Promise<T[]> {
  const events: T[] = [];
  do {
    const batch = await partition.nextBatch();
    if (batch.kind === "end") break;
    events.push(...batch.events);
  } while (events.length < count);
  return events;
}
