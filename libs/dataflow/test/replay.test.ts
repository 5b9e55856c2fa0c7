import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Dataflow, FileStore, IterableSource, JsonlFileSink, JsonlFileSource, run } from "@millrace/dataflow";
import type { Decoder, RawLine, RunOptions, Source } from "@millrace/dataflow";
import { CrashingStore, FlowDriver, SimulatedCrash, TestingSource } from "@millrace/dataflow/testing";
import type { CrashPoint } from "@millrace/dataflow/testing";
import { eventTime, sliding } from "@millrace/windowing";

interface Visit {
  readonly page: string;
  readonly at: number;
}

const decoder: Decoder<RawLine, Visit> = {
  decode: (raw) => ({ kind: "event", event: JSON.parse(String(raw)) as Visit }),
};

const WAIT_MS = 2_000;

function visitsFlow(source: Source<RawLine>, path: string, idle: "drained" | "never"): Dataflow {
  const flow = new Dataflow("visits");
  const results = flow
    .input("in", source)
    .decode("decode", decoder)
    .keyBy("page", "page")
    .window(
      "sliding",
      sliding(5_000, { every: 2_500 }),
      eventTime(({ at }) => at, { wait: WAIT_MS }),
      { idle },
    )
    .count("visits");
  results
    .map("row", ({ key, value, window, cause }) => ({
      close: window.close,
      open: window.open,
      key,
      value,
      cause,
    }))
    .output("out", new JsonlFileSink(path));
  return flow;
}

/** A result file with the rows of each window in order of their keys: the engine promises nothing about those. */
async function resultsOf(path: string): Promise<string> {
  const lines = (await readFile(path, "utf8")).split("\n").slice(0, -1);
  const rows = lines.map(
    (line) => JSON.parse(line) as { readonly close: number; readonly open: number; readonly key: string },
  );
  const order = rows.map(({ close, open }) => [close, open]);
  expect(order).toEqual([...order].sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d));
  return rows
    .sort((a, b) => a.close - b.close || a.open - b.open || (a.key < b.key ? -1 : 1))
    .map((row) => JSON.stringify(row))
    .join("\n");
}

let folder: string;
let serial = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-replay-"));
});
afterAll(() => rm(folder, { recursive: true }));

const fresh = (name: string): string => join(folder, `${name}-${++serial}`);

async function record(visits: readonly Visit[]): Promise<string> {
  const path = fresh("recorded.jsonl");
  await writeFile(path, visits.map((visit) => `${JSON.stringify(visit)}\n`).join(""));
  return path;
}

async function backfill(recorded: string, options?: RunOptions): Promise<string> {
  const out = fresh("out.jsonl");
  await run(visitsFlow(new JsonlFileSource(recorded, { chunkBytes: 256 }), out, "never"), options);
  return resultsOf(out);
}

/** Plays the events at the system times given, then ends the input. */
async function live(
  visits: readonly Visit[],
  arrivals: readonly number[],
  idle: "drained" | "never",
): Promise<string> {
  const out = fresh("out.jsonl");
  const source = new TestingSource<RawLine>();
  const driver = await FlowDriver.start(visitsFlow(source, out, idle), { startAt: arrivals[0] ?? 0 });
  for (const [i, visit] of visits.entries()) {
    await driver.advanceTo(arrivals[i] ?? 0);
    source.push([JSON.stringify(visit)]);
    await driver.settle();
  }
  source.end();
  await driver.done;
  return resultsOf(out);
}

/** Dies at the commits chosen, again and again, each time resumed from the store, until the input is through. */
async function crashing(recorded: string, fatal: ReadonlyMap<number, CrashPoint>): Promise<string> {
  const out = fresh("out.jsonl");
  const inner = new FileStore(fresh("store"));
  const died = new Set<number>();
  const store = new CrashingStore(inner, ({ number }) => {
    if (died.has(number)) return undefined;
    died.add(number);
    return fatal.get(number);
  });
  for (;;) {
    const flow = visitsFlow(new JsonlFileSource(recorded, { chunkBytes: 128 }), out, "never");
    try {
      await run(flow, { store, commitEveryEvents: 1 });
      return await resultsOf(out);
    } catch (error) {
      if (!(error instanceof SimulatedCrash)) throw error;
    }
  }
}

/** Visits whose time runs on while each may be delayed: out of order, and some later than the wait allows. */
function visits(
  maxDelay: number,
): fc.Arbitrary<readonly { readonly visit: Visit; readonly arrival: number }[]> {
  const step = fc.record({
    page: fc.constantFrom("a", "b", "c"),
    gap: fc.integer({ min: 0, max: 1_500 }),
    delay: fc.integer({ min: 0, max: maxDelay }),
  });
  return fc.array(step, { minLength: 1, maxLength: 25 }).map((steps) => {
    let arrival = 1_000_000;
    return steps.map(({ page, gap, delay }) => {
      arrival += gap;
      return { visit: { page, at: arrival - delay }, arrival };
    });
  });
}

describe("a recorded input", () => {
  test("gives byte-equal results in every run, with idle advance never", async () => {
    await fc.assert(
      fc.asyncProperty(
        visits(8_000),
        fc.array(
          fc.tuple(fc.integer({ min: 1, max: 14 }), fc.constantFrom("before" as const, "after" as const)),
          { maxLength: 5 },
        ),
        async (played, fatal) => {
          const events = played.map(({ visit }) => visit);
          const recorded = await record(events);
          const expected = await backfill(recorded);
          expect(
            await backfill(recorded, { commitEveryEvents: 3, store: new FileStore(fresh("store")) }),
          ).toBe(expected);
          expect(
            await live(
              events,
              played.map(({ arrival }) => arrival),
              "never",
            ),
          ).toBe(expected);
          expect(await crashing(recorded, new Map(fatal))).toBe(expected);
        },
      ),
      { numRuns: 15 },
    );
  });

  test("gives equal results with idle advance drained too, if no event is delayed by more than the wait", async () => {
    const values = (results: string): string => results.replaceAll(/"cause":"\w+"/g, "");
    await fc.assert(
      fc.asyncProperty(visits(WAIT_MS), async (played) => {
        const events = played.map(({ visit }) => visit);
        const expected = await backfill(await record(events));
        expect(
          values(
            await live(
              events,
              played.map(({ arrival }) => arrival),
              "drained",
            ),
          ),
        ).toBe(values(expected));
      }),
      { numRuns: 25 },
    );
  });
});

test("a file that is shorter than what was committed is refused instead of written on", async () => {
  const out = fresh("out.jsonl");
  const store = new FileStore(fresh("store"));
  const once = (): Dataflow => {
    const flow = new Dataflow("short");
    flow.input("in", new IterableSource(["a", "b"])).output("out", new JsonlFileSink(out));
    return flow;
  };
  await run(once(), { store });
  await writeFile(out, "");
  await expect(run(once(), { store })).rejects.toMatchObject({ code: "MILLRACE_STATE_INVALID" });
});

test("rows written before the first commit are not duplicated by a crash", async () => {
  const out = fresh("out.jsonl");
  const inner = new FileStore(fresh("store"));
  const source = new TestingSource<string>();
  const once = (): Dataflow => {
    const flow = new Dataflow("early_crash");
    flow.input("in", source).output("out", new JsonlFileSink(out));
    return flow;
  };
  for (const event of ["1", "2", "3"]) source.push([event]);
  source.end();
  const store = new CrashingStore(inner, ({ number }) => (number === 2 ? "before" : undefined));
  await expect(run(once(), { store })).rejects.toThrow(SimulatedCrash);
  await run(once(), { store: inner });
  expect(await readFile(out, "utf8")).toBe("1\n2\n3\n");
});
