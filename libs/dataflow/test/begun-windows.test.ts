import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Dataflow, MemoryStore, previewStart } from "@millrace/dataflow";
import type { Json, Logger, PartContext, Source, SourcePartition } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import {
  count,
  eventTime,
  migrated,
  session,
  sliding,
  sum,
  systemTime,
  tumbling,
  windowTime,
} from "@millrace/windowing";
import type { Windower } from "@millrace/windowing";

interface Visit {
  readonly page: string;
  readonly at: number;
}

/** Key, open, close, value. */
type Row = readonly [page: string, open: number, close: number, value: number];

type Visits = ReturnType<typeof visitsOf>;
type Build = (visits: Visits, rows: TestingSink<Row>) => void;

const CLOCK = eventTime(({ at }: Visit) => at, { wait: 0, maxFuture: "unbounded" });
const TASK = { flow: "visits", part: "testing" };

/** A source that knows when each event was published: when it happened. */
class DatedSource implements Source<Visit> {
  readonly partitioning = { kind: "single" } as const;
  readonly #inner: TestingSource<Visit>;
  readonly #times: readonly number[];

  constructor(inner: TestingSource<Visit>, times: readonly number[]) {
    this.#inner = inner;
    this.#times = times;
  }

  wholeAfter(position: Json): number {
    return (this.#times[Number(position) - 1] ?? Number.NEGATIVE_INFINITY) + 1;
  }

  listParts(): Promise<readonly string[]> {
    return this.#inner.listParts();
  }

  buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<SourcePartition<Visit>> {
    return this.#inner.buildPart(part, resume, context);
  }
}

const visitsOf = (flow: Dataflow, source: Source<Visit>) => flow.input("in", source).keyBy("page");

const rowsTo = (rows: TestingSink<Row>, id = "out") => ({
  id,
  sink: rows,
  of: ({
    key,
    window,
    value,
  }: {
    key: string;
    window: { open: number; close: number };
    value: number;
  }): Row => [key, window.open, window.close, value],
});

/** The flow before it has any windows. */
const without: Build = (visits, rows) => {
  visits
    .statefulMap(
      "seen",
      () => 0,
      (before, { at }, page): readonly [number, Row] => [before + 1, [page, at, at, before]],
    )
    .filter("none", () => false)
    .output("seen_rows", rows);
};

const counting =
  (windower: Windower, id = "windows", formerly: readonly string[] = []): Build =>
  (visits, rows) => {
    const { id: out, sink, of } = rowsTo(rows);
    visits.window(id, windower, CLOCK, { formerly }).count("n").map(of).output(out, sink);
  };

const both =
  (...builds: readonly Build[]): Build =>
  (visits, rows) => {
    for (const build of builds) build(visits, rows);
  };

/** One version after the other over the same input and the same store. */
class Deployments {
  readonly store = new MemoryStore();
  readonly source = new TestingSource<Visit>();
  readonly logged: object[] = [];
  /** Replaces what the source says of the time of its position. */
  wholeAfter: (() => number) | undefined;
  readonly #times: number[] = [];
  readonly #dated: boolean;

  /** @param dated whether the source knows when events were published */
  constructor(dated = true) {
    this.#dated = dated;
  }

  start(
    build: Build,
    rows: TestingSink<Row>,
    startAt: number,
    dropState: readonly string[],
  ): Promise<FlowDriver> {
    const flow = this.flow(build, rows);
    const note = (details: object): void => {
      this.logged.push(details);
    };
    const logger: Logger = { debug: () => undefined, info: note, warn: note, error: note };
    return FlowDriver.start(flow, { store: this.store, logger, startAt, dropState });
  }

  flow(build: Build, rows = new TestingSink<Row>()): Dataflow {
    const flow = new Dataflow(TASK.flow);
    const source = this.#dated ? new DatedSource(this.source, this.#times) : this.source;
    const { wholeAfter } = this;
    build(visitsOf(flow, wholeAfter === undefined ? source : Object.assign(source, { wholeAfter })), rows);
    return flow;
  }

  push(...times: readonly number[]): void {
    for (const at of times) {
      this.#times.push(at);
      this.source.push([{ page: "/", at }]);
    }
  }

  /** Runs a version over further events, and stops it. @returns its rows */
  async run(
    build: Build,
    times: readonly number[],
    { startAt = 0, dropState = [], ends = false }: RunOptions = {},
  ): Promise<readonly Row[]> {
    const rows = new TestingSink<Row>();
    const driver = await this.start(build, rows, startAt, dropState);
    this.push(...times);
    if (ends) this.source.end();
    await driver.settle();
    await (ends ? driver.done : driver.stop());
    return rows.rows.toSorted((a, b) => a[1] - b[1]);
  }

  /** A version reads events, and crashes before its first commit. */
  async crash(build: Build, times: readonly number[], startAt: number): Promise<void> {
    const driver = await this.start(build, new TestingSink(), startAt, []);
    this.push(...times);
    await driver.settle();
    this.source.fail(new Error("crash"));
    await expect(driver.done).rejects.toThrow("crash");
    this.source.mend();
  }

  async format(): Promise<number | undefined> {
    return (await this.store.look(TASK))?.format;
  }
}

interface RunOptions {
  readonly startAt?: number;
  readonly dropState?: readonly string[];
  readonly ends?: boolean;
}

const opens = (rows: readonly Row[]): readonly number[] => rows.map(([, open]) => open);

describe("a window step that is added", () => {
  test("has rows of the windows that open after what was read before, in later runs, too", async () => {
    const deployments = new Deployments();
    const added = both(without, counting(tumbling(10)));
    await deployments.run(without, [3, 12, 15]);
    expect(await deployments.run(added, [17])).toEqual([]);
    expect(await deployments.run(added, [18, 25, 31])).toEqual([["/", 20, 30, 1]]);
    expect(await deployments.run(added, [45])).toEqual([["/", 30, 40, 1]]);
    expect(deployments.logged.filter((each) => "event" in each && each.event === "windows-left-out")).toEqual(
      [{ event: "windows-left-out", step: "windows.n", part: "testing", open: 10, close: 20, from: 16 }],
    );
  });

  test("keeps to that under another id, and with another fold", async () => {
    const deployments = new Deployments();
    await deployments.run(without, [12]);
    await deployments.run(both(without, counting(tumbling(10))), [13]);
    await deployments.run(both(without, counting(tumbling(10), "tens", ["windows"])), [14]);
    const summing: Build = (visits, rows) => {
      const { id, sink, of } = rowsTo(rows);
      const fold = migrated(
        sum(() => 100),
        count(),
        (visits) => visits,
      );
      visits.window("tens", tumbling(10), CLOCK).fold("n", fold).map(of).output(id, sink);
    };
    expect(await deployments.run(both(without, summing), [22, 33])).toEqual([["/", 20, 30, 100]]);
  });

  test("has all rows if nothing was read before", async () => {
    const deployments = new Deployments();
    await deployments.run(without, []);
    expect(await deployments.run(both(without, counting(tumbling(10))), [12, 23])).toEqual([
      ["/", 10, 20, 1],
    ]);
  });

  test("begins at the present time where the source does not know the time of a position", async () => {
    const deployments = new Deployments(false);
    const added = both(without, counting(tumbling(10)));
    await deployments.run(without, [12]);
    expect(await deployments.run(added, [13, 21, 38, 50], { startAt: 29 })).toEqual([["/", 30, 40, 1]]);
  });

  test("begins anew if it crashed before its first commit", async () => {
    const deployments = new Deployments(false);
    const added = both(without, counting(tumbling(10)));
    await deployments.run(without, [12]);
    await deployments.crash(added, [13, 24], 19);
    expect(await deployments.run(added, [38, 50], { startAt: 29 })).toEqual([["/", 30, 40, 1]]);
    // What it began with then is kept.
    expect(await deployments.run(added, [61], { startAt: 99 })).toEqual([["/", 50, 60, 1]]);
  });

  test.each<[() => number, string]>([
    [
      () => {
        throw new Error("no clock");
      },
      "no clock",
    ],
    ...[Number.NaN, Number.POSITIVE_INFINITY].map((value): [() => number, string] => [
      () => value,
      `wholeAfter returned ${value} for the stored position, but must return a time in ms or -Infinity. Nothing was changed.`,
    ]),
  ])(
    "is refused if the source cannot say the time of its position, and the running worker stays (%#)",
    async (wholeAfter, why) => {
      const deployments = new Deployments();
      const added = both(without, counting(tumbling(10)));
      await deployments.run(without, [12]);
      const running = await deployments.start(without, new TestingSink(), 0, []);
      deployments.wholeAfter = wholeAfter;
      const refusal = { code: "MILLRACE_SOURCE_FAILED", message: `step "in", partition "testing": ${why}` };
      await expect(deployments.run(added, [])).rejects.toMatchObject(refusal);
      const { comparison, error } = await previewStart(deployments.flow(added), TASK.part, {
        store: deployments.store,
      });
      expect(error).toMatchObject(refusal);
      expect(comparison).toContainEqual({
        change: "refused",
        step: "in",
        why: refusal.message,
        droppable: false,
      });
      // A flow that begins no windows does not ask.
      expect(
        await previewStart(deployments.flow(without), TASK.part, { store: deployments.store }),
      ).toMatchObject({ error: undefined });
      deployments.push(13);
      await running.settle();
      await running.stop();
      expect((await deployments.store.look(TASK))?.position).toBe(2);
    },
  );

  test("names the step whose stored beginning is damaged", async () => {
    const deployments = new Deployments();
    const added = both(without, counting(tumbling(10)));
    await deployments.run(without, [12]);
    await deployments.run(added, [13]);
    const owner = await deployments.store.acquire(TASK);
    const state = await owner.load();
    if (state === undefined) throw new Error("no state");
    const { commitNumber, groups: _, ...head } = state;
    const changes = [{ group: "windows.n/beginning", put: [["from", null]] as const }];
    await owner.commit({ ...head, number: commitNumber + 1, changes, outputs: [], watermark: null });
    await expect(deployments.run(added, [])).rejects.toMatchObject({
      code: "MILLRACE_STATE_INVALID",
      message:
        'step "windows.n", partition "testing": the stored beginning is damaged: from is null; reset the task',
    });
  });

  test("on the system clock begins at the present time", async () => {
    const deployments = new Deployments();
    const windows: Build = (visits, rows) => {
      const { id, sink, of } = rowsTo(rows);
      visits.window("windows", tumbling(10), systemTime()).count().map(of).output(id, sink);
    };
    await deployments.run(without, [3]);
    const rows = new TestingSink<Row>();
    const driver = await deployments.start(both(without, windows), rows, 15, []);
    deployments.push(16);
    await driver.advanceTo(22);
    deployments.push(23);
    await driver.advanceTo(35);
    await driver.stop();
    expect(rows.rows).toEqual([["/", 20, 30, 1]]);
  });

  describe("over results of windows", () => {
    const inner = (visits: Visits, windower: Windower) => visits.window("inner", windower, CLOCK).count();
    const outer =
      (windower = tumbling(10)): Build =>
      (visits, rows) => {
        const { id, sink, of } = rowsTo(rows);
        const windows = inner(visits, windower).window("outer", tumbling(20), windowTime());
        windows
          .sum(({ value }) => value)
          .map(of)
          .output(id, sink);
      };
    const alone =
      (windower = tumbling(10)): Build =>
      (visits, rows) => {
        inner(visits, windower)
          .filter("none", () => false)
          .map(rowsTo(rows).of)
          .output("none_rows", rows);
      };
    const times = [27, 35, 41, 59, 61, 83];

    test("begins with them if they begin, too", async () => {
      const deployments = new Deployments();
      await deployments.run(without, [12]);
      const rows = await deployments.run(both(without, outer()), [15, ...times], { startAt: 45 });
      expect(opens(rows)).toEqual([20, 40, 60]);
    });

    test("begins at the present time if they continue, since their results may be out until then", async () => {
      const deployments = new Deployments();
      await deployments.run(alone(), [12, 24]);
      expect(opens(await deployments.run(outer(), times, { startAt: 30 }))).toEqual([40, 60]);
    });

    test("begins after the windows that an end closed before their time", async () => {
      const overlapping = sliding(20, { every: 2 });
      const deployments = new Deployments();
      await deployments.run(alone(overlapping), [24], { ends: true, startAt: 25 });
      deployments.push(30, 90);
      const rows = await deployments.run(outer(overlapping), [], { ends: true, startAt: 26 });
      // The inner window from 22 to 42 has a result that the outer one from 40 to 60 lacks.
      expect(opens(rows)).toEqual([80, 100]);
    });
  });

  test("has the rows of a run from the start, and no other, of whatever windows", async () => {
    const windowers: readonly Windower[] = [tumbling(7), sliding(12, { every: 5 }), session(4)];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(100), { maxLength: 30 }),
        fc.nat(30),
        fc.nat(3),
        fc.constantFrom(...windowers),
        async (given, before, runs, windower) => {
          const times = given.toSorted((a, b) => a - b);
          const [all, some] = [new Deployments(), new Deployments()];
          const expected = await all.run(counting(windower), times, { ends: true });
          await some.run(without, times.slice(0, before));
          const added = both(without, counting(windower));
          const rows: Row[] = [];
          for (let run = 0; run < runs; run += 1) {
            rows.push(...(await some.run(added, times.slice(before + run, before + run + 1))));
          }
          rows.push(...(await some.run(added, times.slice(before + runs), { ends: true })));
          const last = times.slice(0, before).at(-1) ?? Number.NEGATIVE_INFINITY;
          const reach = windower.kind === "session" ? windower.gapMs : 0;
          expect(rows).toEqual(expected.filter(([, open]) => open - reach > last));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("a window step whose state is dropped", () => {
  test("does not replace the rows that it had", async () => {
    const deployments = new Deployments();
    expect(opens(await deployments.run(counting(tumbling(10)), [3, 12, 15]))).toEqual([0]);
    const other = counting(tumbling(5));
    const options = { dropState: ["windows.n"] };
    expect(opens(await deployments.run(other, [17, 18, 22, 29, 31], options))).toEqual([20, 25]);
    // A manifest keeps the option.
    expect(opens(await deployments.run(other, [36], options))).toEqual([30]);
  });
});

describe("the format of state", () => {
  test("is a later one only while a step has a beginning", async () => {
    const deployments = new Deployments();
    await deployments.run(without, [3]);
    expect(await deployments.format()).toBe(1);
    const added = both(without, counting(tumbling(10)));
    await deployments.run(added, [12]);
    expect(await deployments.format()).toBe(2);
    await deployments.run(added, [13]);
    expect(await deployments.format()).toBe(2);
    await deployments.run(without, [14], { dropState: ["windows.n"] });
    expect(await deployments.format()).toBe(1);
  });
});
