import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Dataflow, MemoryStore } from "@millrace/dataflow";
import type { Json, Logger, PartContext, Source, SourcePartition } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { eventTime, session, sliding, tumbling, windowTime } from "@millrace/windowing";
import type { Windower } from "@millrace/windowing";

interface Visit {
  readonly page: string;
  readonly at: number;
}

/** Key, open, close, count. */
type Row = readonly [page: string, open: number, close: number, count: number];

const CLOCK = eventTime(({ at }: Visit) => at, { wait: 0, maxFuture: "unbounded" });

/** A source that began to read in the middle of its input. */
class LateBeginner implements Source<Visit> {
  readonly partitioning = { kind: "single" } as const;
  readonly inner = new TestingSource<Visit>();
  readonly #from: number;

  constructor(from: number) {
    this.#from = from;
  }

  listParts(): Promise<readonly string[]> {
    return this.inner.listParts();
  }

  async buildPart(
    part: string,
    resume: Json | undefined,
    context: PartContext,
  ): Promise<SourcePartition<Visit>> {
    const partition = await this.inner.buildPart(part, resume, context);
    return Object.assign(partition, { wholeFrom: () => this.#from });
  }
}

/** The rows of the visits from `from` on, which are all that the task reads. */
async function rowsFrom(
  from: number,
  visits: readonly Visit[],
  windower: Windower,
  outer?: Windower,
): Promise<readonly Row[]> {
  const source = new LateBeginner(from);
  const rows = new TestingSink<Row>();
  const flow = new Dataflow("visits");
  const inner = flow.input("in", source).keyBy("page").window("inner", windower, CLOCK).count();
  const last =
    outer === undefined ? inner : inner.window("outer", outer, windowTime()).sum(({ value }) => value);
  last.map(({ key, window, value }): Row => [key, window.open, window.close, value]).output("out", rows);
  source.inner.push(visits.filter(({ at }) => at >= from));
  source.inner.end();
  const driver = await FlowDriver.start(flow);
  await driver.done;
  return rows.take().toSorted((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
}

const visitsAt = (...times: readonly number[]): readonly Visit[] => times.map((at) => ({ page: "/", at }));

describe("a task that began in the middle of its input", () => {
  test("has rows of the windows that open after that only", async () => {
    const visits = visitsAt(3, 12, 17, 20, 29, 31);
    expect(await rowsFrom(15, visits, tumbling(10))).toEqual([
      ["/", 20, 30, 2],
      ["/", 30, 40, 1],
    ]);
    expect(await rowsFrom(20, visits, tumbling(10))).toHaveLength(2);
    expect(await rowsFrom(21, visits, tumbling(10))).toEqual([["/", 30, 40, 1]]);
  });

  test("has a row of an overlapping window for an event that others lack", async () => {
    expect(await rowsFrom(15, visitsAt(12, 22), sliding(10, { every: 5 }))).toEqual([
      ["/", 15, 25, 1],
      ["/", 20, 30, 1],
    ]);
  });

  test("has no row of a session that an event before the beginning may belong to", async () => {
    expect(await rowsFrom(15, visitsAt(12, 19, 22, 30), session(5))).toEqual([["/", 30, 30, 1]]);
    expect(await rowsFrom(15, visitsAt(20, 22), session(5))).toEqual([["/", 20, 22, 2]]);
  });

  test("has rows of windows over windows only where all inner ones are whole", async () => {
    const visits = visitsAt(3, 12, 17, 20, 29, 31, 45, 55, 65);
    // The inner window from 10 to 20 is read in part.
    expect(await rowsFrom(15, visits, tumbling(10), tumbling(20))).toEqual([
      ["/", 20, 40, 3],
      ["/", 40, 60, 2],
      ["/", 60, 80, 1],
    ]);
    // Inner windows from 10 to 30 and from 0 to 20 would end in the outer one from 20 to 40.
    const overlapping = await rowsFrom(15, visits, sliding(20, { every: 10 }), tumbling(20));
    expect(overlapping.map(([, open]) => open)).toEqual([40, 60]);
  });

  test("keeps to that after a restart, and logs the first window that it leaves out", async () => {
    const source = new LateBeginner(15);
    const rows = new TestingSink<number>();
    const logged: object[] = [];
    const note = (details: object): void => {
      logged.push(details);
    };
    const logger: Logger = { debug: () => undefined, info: note, warn: note, error: note };
    const flow = new Dataflow("visits");
    flow
      .input("in", source)
      .keyBy("page")
      .window("windows", tumbling(10), CLOCK)
      .count()
      .map(({ window }) => window.open)
      .output("out", rows);
    const store = new MemoryStore();
    const first = await FlowDriver.start(flow, { store, logger });
    source.inner.push(visitsAt(17));
    await first.settle();
    await first.stop();
    const second = await FlowDriver.start(flow, { store, logger });
    source.inner.push(visitsAt(18, 25, 31, 45));
    await second.settle();
    await second.stop();
    expect(rows.take()).toEqual([20, 30]);
    expect(logged.filter((each) => "event" in each && each.event === "windows-left-out")).toEqual([
      { event: "windows-left-out", step: "windows", part: "testing", open: 10, close: 20, from: 15 },
    ]);
  });

  test("has the rows of a run from the start, and no other, of whatever windows", async () => {
    const windowers: readonly Windower[] = [
      tumbling(7),
      sliding(12, { every: 5 }),
      session(4),
      { kind: "session", gapMs: 9 },
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ page: fc.constantFrom("/a", "/b"), at: fc.nat(100) }), { maxLength: 40 }),
        fc.nat(110),
        fc.constantFrom(...windowers),
        fc.boolean(),
        async (given, from, windower, nested) => {
          const visits = given.toSorted((a, b) => a.at - b.at);
          const outer = nested ? tumbling(20) : undefined;
          const all = (await rowsFrom(Number.NEGATIVE_INFINITY, visits, windower, outer)).map(String);
          const some = await rowsFrom(from, visits, windower, outer);
          for (const row of some) expect(all).toContain(String(row));
          const gap = windower.kind === "session" ? windower.gapMs : 0;
          if (nested) return;
          const expected = all.filter((row) => Number(row.split(",")[1]) - gap >= from);
          expect(some.map(String)).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});
