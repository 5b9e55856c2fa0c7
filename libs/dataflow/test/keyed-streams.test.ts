import { describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore } from "@millrace/dataflow";
import type { Stream } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { eventTime, systemTime, tumbling } from "@millrace/windowing";
import { collectRows } from "./collect-rows.ts";

interface Sale {
  readonly shop: string;
  readonly amount: number;
  readonly at: number;
}

const sale = (shop: string, amount: number, at: number): Sale => ({ shop, amount, at });
const SALES = [sale("a", 1, 0), sale("b", 5, 1), sale("a", 2, 2), sale("a", 4, 11), sale("b", 7, 21)];

describe("a stream with keys", () => {
  test("has every step of a stream without keys, and each receives the key", async () => {
    const low = new TestingSink<string>();
    const { rows } = await collectRows(SALES, (sales) => {
      const { yes, no } = sales
        .keyBy("shop", "shop")
        .filterMap("amounts", ({ amount }, key) => (key === "a" ? amount : -amount))
        .branch("is_high", (amount, key) => amount > 1 && key === "a");
      no.map("low", (amount, key) => `${key}${amount}`).output("low_out", low);
      return yes.map("row", (amount, key) => `${key}${amount}`);
    });
    expect(rows).toEqual(["a2", "a4"]);
    expect(low.rows).toEqual(["a1", "b-5", "b-7"]);
  });

  test("can be keyed again", async () => {
    const { rows } = await collectRows(SALES, (sales) =>
      sales
        .keyBy("shop", "shop")
        .keyBy("parity", ({ amount }) => (amount % 2 === 0 ? "even" : "odd"))
        .map("row", ({ amount }, key) => `${key}${amount}`),
    );
    expect(rows).toEqual(["odd1", "odd5", "even2", "even4", "odd7"]);
  });

  test("has functions without the key once it is dropped", async () => {
    const calls: unknown[][] = [];
    await collectRows(SALES.slice(0, 1), (sales) =>
      sales
        .keyBy("shop", "shop")
        .dropKey()
        .map("m", (...given) => calls.push(given.slice(1)))
        .mapAsync("async", (_, { key }) => Promise.resolve(calls.push([key]))),
    );
    expect(calls).toEqual([[undefined], [undefined]]);
  });
});

describe("results of windows", () => {
  const revenue = (sales: Stream<Sale>) =>
    sales.keyBy("shop", "shop").window("w", tumbling(10), eventTime("at", { wait: 0 }));

  test("have the key of their window", async () => {
    const { rows } = await collectRows(SALES, (sales) =>
      revenue(sales)
        .sum("sum", ({ amount }) => amount)
        .statefulMap(
          "total",
          () => 0,
          (total, { value, window }, key) => {
            const next = total + value;
            return [next, `${key}${window.close}:${next}`];
          },
        ),
    );
    expect(rows).toEqual(["a10:3", "b10:5", "a20:7", "b30:12"]);
  });

  test("late and refused events have the key too", async () => {
    const late = new TestingSink<string>();
    const refused = new TestingSink<string>();
    await collectRows([sale("a", 1, 20), sale("b", 1, 5), sale("c", 1, NaN)], (sales) => {
      const counts = revenue(sales).count("n");
      counts.late.map("late", (_, key) => key).output("late_out", late);
      counts.refused.map("refused", (_, key) => key).output("refused_out", refused);
      return counts;
    });
    expect([late.rows, refused.rows]).toEqual([["b"], ["c"]]);
  });

  test("can be windowed again by system time", async () => {
    const { rows } = await collectRows(SALES, (sales) =>
      revenue(sales)
        .sum("sum", ({ amount }) => amount)
        .window("per_run", tumbling("1h"), systemTime())
        .max("best", ({ value }) => value)
        .map("row", ({ value }, key) => `${key}${value}`),
    );
    expect([...rows].sort()).toEqual(["a4", "b7"]);
  });

  test("can be kept in state", async () => {
    const store = new MemoryStore();
    const out = new TestingSink<string>();
    const source = new TestingSource<Sale>();
    for (const batch of [SALES.slice(0, 4), SALES.slice(4)]) {
      const flow = new Dataflow("kept");
      revenue(flow.input("in", source))
        .sum("sum", ({ amount }) => amount)
        .statefulMap(
          "total",
          () => 0,
          (total, { value }) => [total + value, total + value],
        )
        .map("row", (total, key) => `${key}${total}`)
        .output("out", out);
      const driver = await FlowDriver.start(flow, { store });
      source.push(batch);
      await driver.settle();
      await driver.stop();
    }
    expect([...out.rows].sort()).toEqual(["a3", "a7", "b5"]);
  });
});
