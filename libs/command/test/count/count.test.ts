import { describe, expect, test } from "@jest/globals";
import { CommandLine, UsageError } from "@millrace/cli";
import { IterableSource, MemoryStore, SILENT_LOGGER, mapRows, reconcile, run } from "@millrace/dataflow";
import type { Dataflow, Partitioning, RawLine, Source } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { tumbling } from "@millrace/windowing";
import { countFlow } from "../../src/count/count-flow.ts";
import { countOptions } from "../../src/count/count-options.ts";
import type { CountSpec } from "../../src/count/count-options.ts";
import { rowOf } from "../../src/flows/row-of.ts";
import { parseClock } from "../../src/options/clock-spec.ts";

function specOf(args: readonly string[], env: Readonly<Record<string, string>> = {}): CountSpec {
  const cli = new CommandLine("millrace count", "");
  const spec = countOptions(cli);
  cli.parse(args, env);
  return spec();
}

async function flowOf(
  args: readonly string[],
  source: Source<RawLine>,
  sink: TestingSink<unknown>,
): Promise<Dataflow> {
  return countFlow(specOf(args))({
    source,
    sourceWithOrigin: new IterableSource([]),
    windower: tumbling("1m"),
    clock: parseClock("event:at"),
    windowing: {},
    results: mapRows(sink, rowOf(false)),
    out: sink,
    options: {},
  });
}

/** The rows of all events, which are in one window unless they say otherwise. */
async function counted(args: readonly string[], events: readonly object[]) {
  const sink = new TestingSink<unknown>();
  const lines = events.map((event) => JSON.stringify({ at: 1_000, ...event }));
  const stats = await run(await flowOf(args, new IterableSource(lines), sink), { logger: SILENT_LOGGER });
  return { rows: sink.rows, figures: reconcile(stats) };
}

const ORDERS = [
  { land: "DE", price: 10, paid: true, user: { id: 1 } },
  { land: "DE", price: 2.5, paid: false, user: { id: 1 } },
  { land: "FR", price: 7, paid: true, user: { id: "1" } },
  { land: "DE", price: 1, paid: true, user: { id: 2 }, at: 61_000 },
];

describe("millrace count", () => {
  test("counts events by a field and window", async () => {
    const { rows, figures } = await counted(["--by=land"], ORDERS);
    expect(rows).toEqual([
      { land: "DE", count: 2 },
      { land: "FR", count: 1 },
      { land: "DE", count: 1 },
    ]);
    expect(figures).toMatchObject({ received: 4, counted: 4, unaccounted: 0 });
  });

  test("has one row for all without a field", async () => {
    expect((await counted(["--count", "orders"], ORDERS)).rows).toEqual([{ orders: 3 }, { orders: 1 }]);
  });

  test("measures fields, also nested ones, in columns that are named after them", async () => {
    const measures = ["sum", "min", "max", "mean"].map((kind) => `--${kind}=price`);
    const more = ["--distinct=user.id", "--quantile=price:0.5", "--quantile=price:0.999", "--sum=paid"];
    expect((await counted([...measures, ...more], ORDERS.slice(0, 3))).rows).toEqual([
      {
        ...{ sum_price: 19.5, sum_paid: 2, min_price: 2.5, max_price: 10, mean_price: 6.5 },
        // The text "1" is another value than the number.
        "distinct_user.id": 2,
        // Within 1 %.
        p50_price: expect.closeTo(7, 1),
        "p99.9_price": 10,
      },
    ]);
  });

  test("names columns as it is asked to, and groups by several fields of any type", async () => {
    const args = ["--by=land as country,paid", "--by=user.id", "--count=as n", "--sum=price as revenue"];
    expect((await counted(args, ORDERS.slice(0, 3))).rows).toEqual([
      { country: "DE", paid: true, "user.id": 1, n: 1, revenue: 10 },
      { country: "DE", paid: false, "user.id": 1, n: 1, revenue: 2.5 },
      { country: "FR", paid: true, "user.id": "1", n: 1, revenue: 7 },
    ]);
  });

  test("keeps texts, numbers, booleans and null apart, and counts a missing field as null", async () => {
    const values = ["5", 5, true, "true", null, "null", "=5", "(overflow)"];
    const { rows } = await counted(["--by=v"], [...values.map((v) => ({ v })), {}]);
    expect(rows).toHaveLength(values.length);
    expect(rows).toEqual(expect.arrayContaining(values.map((v) => ({ v, count: v === null ? 2 : 1 }))));
  });

  test("takes a missing number for none, and a text for the number that it is", async () => {
    const events = [{ n: null }, {}, { n: "2.5" }, { n: 1 }];
    const args = ["--count", "--sum=n", "--min=n", "--mean=n", "--quantile=m:0.9"];
    expect((await counted(args, events)).rows).toEqual([
      { count: 4, sum_n: 3.5, min_n: 1, mean_n: 1.75, p90_m: null },
    ]);
  });

  test("refuses events whose fields are of a type that cannot be used, and counts those", async () => {
    const events = [
      { land: { code: "DE" } },
      { land: "DE", n: "ten" },
      { land: "DE", n: [1] },
      { land: "DE", n: 1 },
    ];
    const { rows, figures } = await counted(["--by=land", "--count", "--max=n"], events);
    expect(rows).toEqual([{ land: "DE", count: 1, max_n: 1 }]);
    expect(figures).toMatchObject({ received: 4, counted: 1, skipped: 3, unaccounted: 0 });
  });

  test.each([
    ["n>2", [3, 10, "3"]],
    ["n>=3", [3, 10, "3"]],
    ["n<3", [-1, 2]],
    ["n<=2", [-1, 2]],
    ["n=3", [3, "3"]],
    ["n==3", [3, "3"]],
    ["n!=3", [-1, 2, 10, true, null]],
    ["n=true", [true]],
    ["n=null", [null]],
    // Numbers are compared as numbers, also in texts; other texts as texts.
    ["n<10", [3, -1, 2, "3"]],
    ["n>=2x", ["3"]],
  ])("--where %s", async (condition, expected) => {
    const events = [3, -1, 2, 10, "3", true, null].map((n) => ({ n }));
    const { rows } = await counted(["--by=n", "--where", condition], events);
    expect(rows).toHaveLength(expected.length);
    expect(rows).toEqual(expect.arrayContaining(expected.map((n) => ({ n, count: 1 }))));
  });

  test("counts only what all conditions hold for", async () => {
    const args = ["--by=land", "--where=price>2", "--where=paid=true", "--where=user.id!=2"];
    expect((await counted(args, ORDERS)).rows).toEqual([
      { land: "DE", count: 1 },
      { land: "FR", count: 1 },
    ]);
  });

  test("is not misled by the names that every object has", async () => {
    const { rows } = await counted(["--by=constructor,toString.name"], [{}]);
    expect(rows).toEqual([{ constructor: null, "toString.name": null, count: 1 }]);
  });

  test("continues with its state, and refuses that of another count", async () => {
    const store = new MemoryStore();
    const sink = new TestingSink<unknown>();
    const args = ["--by=land", "--min=price", "--quantile=price:0.9", "--distinct=user.id", "--max=gone"];
    const start = async (given: readonly string[], from: TestingSource<RawLine>) =>
      FlowDriver.start(await flowOf(given, from, sink), { store, logger: SILENT_LOGGER });
    const lines = ORDERS.map((order) => JSON.stringify({ at: 1_000, ...order }));
    const source = new TestingSource<RawLine>();
    const before = await start(args, source);
    source.push(lines.slice(0, 1));
    await before.advanceBy(1_000);
    await before.stop();
    const other = await start([...args, "--where=price>2"], new TestingSource<RawLine>());
    await expect(other.done).rejects.toMatchObject({ code: "MILLRACE_STATE_MISMATCH" });
    const after = await start(args, source);
    source.push(lines.slice(1));
    await after.advanceBy(1_000);
    await after.advanceBy(120_000);
    expect(sink.take().slice(0, 2)).toEqual([
      { land: "DE", min_price: 2.5, max_gone: null, "distinct_user.id": 1, p90_price: 10 },
      { land: "FR", min_price: 7, max_gone: null, "distinct_user.id": 1, p90_price: 7 },
    ]);
    await after.stop();
  });
});

describe("the options of millrace count", () => {
  test("are variables, too, whose lines are several values", () => {
    const env = { MILLRACE_BY: "a,b", MILLRACE_WHERE: "a>1\nb=x", MILLRACE_SUM: "c", MILLRACE_NAME: "mine" };
    const { id, by, where, measures } = specOf([], env);
    expect(id).toBe("mine");
    expect(by.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(where.map(({ text }) => text)).toEqual(["a>1", "b=x"]);
    expect(measures.map(({ name }) => name)).toEqual(["sum_c"]);
  });

  test.each([
    ["--where=amount", /--where: "amount" is no condition: give a field, one of = != < <= > >=, and a value/],
    ["--where=a..b=1", /--where: "a..b" is no field: give its name, or a path such as user.id/],
    ["--sum=", /--sum: "" is no field/],
    ["--quantile=latency", /--quantile: "latency" is no quantile: give a field and a number from 0 to 1/],
    ["--quantile=latency:99", /--quantile: "latency:99" is no quantile/],
    ["--by=a,a", /two columns are named a: name one of them with as/],
    ["--sum=a as window", /rows have a field window of their own \(--meta\): name the column with as/],
    ["--name=a b", /--name: "a b" is no name/],
  ])("like %s are refused with what is wanted", (arg, message) => {
    expect(() => specOf([arg])).toThrow(message);
  });
});

describe("what is typed", () => {
  test("may list the fields of a measure", async () => {
    const { rows } = await counted(["--sum=n,v", "--quantile=n:0.5,v:0.5"], [{ n: 1, v: 2 }]);
    expect(rows).toEqual([{ sum_n: 1, sum_v: 2, p50_n: 1, p50_v: 2 }]);
  });

  test("may have a text in quotes, which is no number", async () => {
    const { rows } = await counted(['--where=zip="05"'], [{ zip: "05" }, { zip: "5" }, { zip: 5 }]);
    expect(rows).toEqual([{ count: 1 }]);
  });

  test.each(["--where=n=>4", "--where=n=<4", "--where=!n=4", "--by=n as ", "--sum=n as"])(
    "is refused if it looks like something else: %s",
    (arg) => {
      expect(() => specOf([arg])).toThrow(UsageError);
    },
  );

  test("is refused if a group could have a row for each of several partitions", async () => {
    const lines = new IterableSource<string>([]);
    const over = (partitioning: Partitioning): Source<RawLine> => ({
      partitioning,
      listParts: () => lines.listParts(),
      buildPart: (part, resume, context) => lines.buildPart(part, resume, context),
    });
    const sink = new TestingSink<unknown>();
    await expect(flowOf(["--by=c"], over({ kind: "arbitrary" }), sink)).rejects.toThrow(
      /^--channel: .*--channel-pattern$/,
    );
    await expect(flowOf(["--by=c"], over({ kind: "by", field: "u" }), sink)).rejects.toThrow(
      /^--by: it must contain u/,
    );
    await expect(flowOf(["--by=c,u"], over({ kind: "by", field: "u" }), sink)).resolves.toBeDefined();
  });
});
