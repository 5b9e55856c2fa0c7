import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Dataflow, MemoryStore, start } from "@millrace/dataflow";
import type { Decoder, RawLine, Sink, Store, StoreOutput } from "@millrace/dataflow";
import { CrashingStore, SimulatedCrash } from "@millrace/dataflow/testing";
import { RedisStreamSource } from "@millrace/redis-source";
import { frameOf } from "../support/frames.ts";
import { StreamBench } from "../support/stream-bench.ts";

interface Click {
  readonly zone: string;
  readonly id: number;
}

/** The n-th click of a zone. */
interface Row extends Click {
  readonly n: number;
}

const ZONES = ["Madrid", "Lima", "Oslo"];

const DECODER: Decoder<RawLine, Click> = {
  decode: (raw) => ({ kind: "event", event: JSON.parse(String(raw)) as Click }),
};

let bench: StreamBench;
let runs = 0;

beforeAll(async () => {
  bench = await StreamBench.start();
});

afterAll(() => bench.stop());

/** An output whose rows become visible with the commit. */
function rowsInCommit(step: string, store: Store): Sink<Row> {
  return {
    store,
    buildPart() {
      let waiting: Row[] = [];
      return Promise.resolve({
        writeBatch(rows: readonly Row[]) {
          waiting.push(...rows);
          return Promise.resolve();
        },
        takeOutputs(): readonly StoreOutput[] {
          const rows = waiting.map((row) => ({ ...row }));
          waiting = [];
          return rows.length === 0 ? [] : [{ step, target: null, rows }];
        },
        flush: () => Promise.resolve(),
        close: () => Promise.resolve(),
      });
    },
  };
}

function countClicks(stream: string, store: Store): Dataflow {
  const flow = new Dataflow("clicks");
  const source = new RedisStreamSource(
    { url: bench.server.url },
    { stream, maxBatchEvents: 7, group: "clicks", trim: true, progressEveryMs: 1 },
  );
  flow
    .input("in", source)
    .decode("decode", DECODER)
    .keyBy("zone", "zone")
    .statefulMap<number, Row>(
      "count",
      () => 0,
      (seen, click) => [seen + 1, { ...click, n: seen + 1 }],
    )
    .output("out", rowsInCommit("out", store));
  return flow;
}

/** Sends clicks in frames of these sizes from two producers, and some frames again. @returns the rows to expect */
async function publish(stream: string, sizes: readonly number[], again: ReadonlySet<number>): Promise<Row[]> {
  const counts = new Map<string, number>();
  const rows: Row[] = [];
  const next = [0, 0];
  const messages: string[] = [];
  for (const [index, size] of sizes.entries()) {
    const lines = Array.from({ length: size }, (_, i) => {
      const zone = ZONES[(index + i) % ZONES.length] ?? "";
      const click: Click = { zone, id: rows.length };
      const n = (counts.get(zone) ?? 0) + 1;
      counts.set(zone, n);
      rows.push({ ...click, n });
      return JSON.stringify(click);
    });
    const producer = index % 2;
    const message = frameOf(next[producer] ?? 0, lines, { producer: `p${producer}`, publishedAtMs: index });
    next[producer] = (next[producer] ?? 0) + size;
    messages.push(message, ...(again.has(index) ? [message] : []));
  }
  await bench.add(stream, messages);
  return rows;
}

describe("a flow over a stream, with a store", () => {
  it("counts every event exactly once, whichever commits it crashes at", async () => {
    const input = fc.record({
      sizes: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 5, maxLength: 25 }),
      again: fc.uniqueArray(fc.nat(24)),
      fatal: fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { maxLength: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(input, async ({ sizes, again, fatal }) => {
        runs += 1;
        const stream = `clicks-${runs}`;
        const expected = await publish(stream, sizes, new Set(again));
        const inner = new MemoryStore();
        const pending = new Set(fatal);
        const store = new CrashingStore(inner, ({ number }) =>
          pending.delete(number) ? (number % 2 === 0 ? "before" : "after") : undefined,
        );
        for (let finished = false; !finished;) {
          const { done } = start(countClicks(stream, store), {
            store,
            commitEveryEvents: 10,
            exitWhenIdleMs: 20,
          });
          finished = await done.then(
            ({ tasks: [task] }) => {
              expect(task?.source).toMatchObject({ lost: 0, lostEntries: 0 });
              return true;
            },
            (error: unknown) => {
              if (!(error instanceof SimulatedCrash)) throw error;
              return false;
            },
          );
        }
        const outputs = inner.outputs({ flow: "clicks", part: stream });
        expect(outputs.flatMap(({ rows }) => rows)).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });
});
