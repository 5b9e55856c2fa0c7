import { describe, expect, test } from "@jest/globals";
import { Dataflow, IterableSource, MemoryStore, iterate } from "@millrace/dataflow";
import type { Stream } from "@millrace/dataflow";
import { TestingSource } from "@millrace/dataflow/testing";
import { eventTime, tumbling } from "@millrace/windowing";

/** Numbers from 0 on; how many were read is counted. */
function counting(upTo: number): { readonly source: IterableSource<number>; readonly read: () => number } {
  let read = 0;
  function* numbers(): Generator<number> {
    for (; read < upTo; read += 1) yield read;
  }
  return { source: new IterableSource(numbers(), { batchSize: 1 }), read: () => read };
}

function input(source: IterableSource<number> | TestingSource<number>): [Dataflow, Stream<number>] {
  const flow = new Dataflow("numbers");
  return [flow, flow.input("in", source)];
}

describe("iterate", () => {
  test("returns the rows of a stream in order, and ends with the flow", async () => {
    const [flow, numbers] = input(counting(5).source);
    const rows: string[] = [];
    for await (const row of iterate(
      flow,
      numbers.map((n) => `n${n}`),
    ))
      rows.push(row);
    expect(rows).toEqual(["n0", "n1", "n2", "n3", "n4"]);
  });

  test("returns results of windows with their key and window", async () => {
    const [flow, numbers] = input(counting(25).source);
    const counts = numbers
      .keyBy((n) => n % 2)
      .window(
        "w",
        tumbling(10),
        eventTime((n) => n, { wait: 0 }),
      )
      .count();
    const rows: string[] = [];
    for await (const { key, value, window } of iterate(flow, counts))
      rows.push(`${window.open} ${key} ${value}`);
    expect(rows.slice(0, 4).sort()).toEqual(["0 0 5", "0 1 5", "10 0 5", "10 1 5"]);
  });

  test("reads no faster than rows are taken", async () => {
    const { source, read } = counting(1_000);
    const [flow, numbers] = input(source);
    let taken = 0;
    for await (const _ of iterate(flow, numbers)) {
      taken += 1;
      expect(read()).toBeLessThanOrEqual(taken + 3);
    }
    expect(taken).toBe(1_000);
  });

  test("stops the flow when the loop is left", async () => {
    const { source, read } = counting(1_000);
    const [flow, numbers] = input(source);
    for await (const row of iterate(flow, numbers)) {
      expect(row).toBe(0);
      break;
    }
    // The loop is over when the flow is.
    expect(read()).toBeLessThan(10);
  });

  test("rejects with the error of the flow, after the rows before it", async () => {
    const [flow, numbers] = input(counting(5).source);
    const rows: number[] = [];
    const failing = async (): Promise<void> => {
      const checked = numbers.map("check", (n) => {
        if (n === 2) throw new RangeError("two");
        return n;
      });
      for await (const row of iterate(flow, checked)) rows.push(row);
    };
    await expect(failing()).rejects.toMatchObject({ code: "MILLRACE_STEP_FAILED" });
    expect(rows).toEqual([0, 1]);
  });

  test("commits the rows that were taken, so that the next run continues after them", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<number>();
    source.push([1, 2, 3]);
    source.end();
    const all: number[] = [];
    for (let i = 0; i < 2; i += 1) {
      const [flow, numbers] = input(source);
      for await (const row of iterate(flow, numbers, { store })) all.push(row);
    }
    expect(all).toEqual([1, 2, 3]);
  });

  test("commits nothing of a batch if the loop is left in the middle of it", async () => {
    const store = new MemoryStore();
    const source = new TestingSource<number>();
    source.push([1, 2, 3]);
    source.end();
    const [flow, numbers] = input(source);
    for await (const row of iterate(flow, numbers, { store })) if (row === 2) break;
    const all: number[] = [];
    const [again, rest] = input(source);
    for await (const row of iterate(again, rest, { store })) all.push(row);
    expect(all).toEqual([1, 2, 3]);
  });

  test("refuses a stream of another flow", async () => {
    const [flow] = input(counting(1).source);
    const [, others] = input(counting(1).source);
    await expect(iterate(flow, others).next()).rejects.toThrow(/stream of another flow/);
  });
});
