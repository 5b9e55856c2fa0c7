import { describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore } from "@millrace/dataflow";
import type { PartResult, WindowOptions } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import {
  aggregate,
  collectList,
  count,
  distinct,
  eventTime,
  foldOf,
  migrated,
  reduce,
  session,
  sliding,
  sum,
  tumbling,
} from "@millrace/windowing";
import type { Fold, Windower } from "@millrace/windowing";

interface Order {
  readonly user: string;
  readonly at: number;
  readonly amount: number;
}

const HOUR = 3_600_000;

function order(user: string, at: number, amount: number): Order {
  return { user, at, amount };
}

const FIRST = [order("ann", 1_000, 3), order("bob", 2_000, 5), order("ann", 3_000, 7)];
const MORE = [order("ann", 4_000, 11), order("cid", 5_000, 13)];

interface Windows {
  readonly windower: Windower;
  readonly options?: WindowOptions<Order>;
}

/** Runs one version of the flow after another over the same input and store. @returns the last one's rows by key, once closed */
async function deploy(
  { windower, options = {} }: Windows,
  ...versions: readonly (readonly [fold: Fold<Order, unknown, unknown>, orders: readonly Order[]])[]
): Promise<Readonly<Record<string, unknown>>> {
  const store = new MemoryStore();
  const source = new TestingSource<Order>();
  const rows = new TestingSink<PartResult<unknown>>();
  const clock = eventTime<Order>(({ at }) => at, { wait: 0, maxFuture: "unbounded" });
  for (const [fold, orders] of versions) {
    const flow = new Dataflow("orders");
    flow
      .input("in", source)
      .keyBy("user")
      .window("hours", windower, clock, options)
      .fold("n", fold)
      .output("out", rows);
    const driver = await FlowDriver.start(flow, { store, commitEveryEvents: 1 });
    source.push(orders);
    if (fold === versions.at(-1)?.[0]) source.end();
    await driver.settle();
    await driver.stop();
  }
  return Object.fromEntries(rows.rows.map(({ key, value }) => [key, value]));
}

const amounts = sum((each: Order) => each.amount);
const counted = migrated(
  aggregate({ events: count(), amounts: distinct((each: Order) => each.amount) }),
  count(),
  (events) => ({ events }),
);

describe.each<[string, Windows]>([
  ["tumbling windows", { windower: tumbling("1h") }],
  ["sliding windows", { windower: sliding("2h", { every: "1h", alignTo: -HOUR }) }],
  ["windows that are kept", { windower: tumbling("1h"), options: { allowedLateness: "1h" } }],
  ["sessions", { windower: session("1h") }],
  ["keys with a time of their own", { windower: tumbling("1h"), options: { timeModel: "perKey" } }],
  [
    "sessions of keys with a time of their own",
    { windower: session("1h"), options: { timeModel: "perKey" } },
  ],
  ["ordered keys", { windower: tumbling("1h"), options: { timeModel: "perKey", ordered: true } }],
])("a fold that migrates, in %s", (_, windows) => {
  test("continues with the value of the fold before", async () => {
    const fold = migrated(amounts, count(), (events) => events * 100);
    expect(await deploy(windows, [count(), FIRST], [fold, MORE])).toEqual({ ann: 211, bob: 100, cid: 13 });
  });

  test("may be an aggregate, of which other folds begin empty, and is written anew", async () => {
    const rows = {
      ann: { events: 3, amounts: 1 },
      bob: { events: 1, amounts: 0 },
      cid: { events: 1, amounts: 1 },
    };
    expect(await deploy(windows, [count(), FIRST], [counted, MORE])).toEqual(rows);
    // The version without the migration reads what it left.
    const later = aggregate({ events: count(), amounts: distinct((each: Order) => each.amount) });
    expect(await deploy(windows, [count(), FIRST], [counted, []], [later, MORE])).toEqual(rows);
  });

  test("keeps the accumulators of the same name and kind, with their parts", async () => {
    const before = aggregate({
      events: count(),
      amounts: distinct((each: Order) => each.amount),
      lost: count(),
    });
    const now = aggregate({
      amounts: distinct((each: Order) => each.amount),
      events: count(),
      total: sum((each: Order) => each.amount),
    });
    const fold = migrated(now, before, ({ events }) => ({ total: events * 1_000 }));
    expect(await deploy(windows, [before, FIRST], [fold, MORE])).toEqual({
      ann: { amounts: 3, events: 3, total: 2_011 },
      bob: { amounts: 1, events: 1, total: 1_000 },
      cid: { amounts: 1, events: 1, total: 13 },
    });
  });
});

describe.each<[string, Windows]>([
  ["tumbling windows", { windower: tumbling("1h") }],
  ["sessions", { windower: session("1h") }],
  ["keys with a time of their own", { windower: tumbling("1h"), options: { timeModel: "perKey" } }],
])("a fold whose migrate throws, in %s", (_, windows) => {
  test("is refused with the step and the key", async () => {
    const fold = migrated(amounts, count(), (events) => {
      if (events === 1) throw new Error("one is not enough");
      return events;
    });
    await expect(deploy(windows, [count(), FIRST], [fold, MORE])).rejects.toMatchObject({
      code: "MILLRACE_STATE_INVALID",
      message:
        'step "hours.n", key "bob": the accumulator cannot be migrated: one is not enough. Nothing was changed.',
      cause: { cause: { message: "one is not enough" } },
    });
  });
});

describe("a fold that migrates", () => {
  const windows = { windower: tumbling("1h") };

  test("may come from lists, and lead to a value of another type", async () => {
    const list = collectList((each: Order) => each.amount);
    const pair = foldOf({
      kind: "pair",
      create: () => ({ n: 0, total: 0 }),
      add: ({ n, total }, each: Order) => ({ n: n + 1, total: total + each.amount }),
      merge: (a, b) => ({ n: a.n + b.n, total: a.total + b.total }),
    });
    const fold = migrated(pair, list, (values) => ({
      n: values.length,
      total: values.reduce((a, b) => a + b, 0),
    }));
    expect(await deploy(windows, [list, FIRST], [fold, MORE])).toEqual({
      ann: { n: 3, total: 21 },
      bob: { n: 1, total: 5 },
      cid: { n: 1, total: 13 },
    });
  });

  test("has a way from each of several versions", async () => {
    const largest = reduce(
      (each: Order) => each.amount,
      (a, b) => Math.max(a, b),
    );
    const fold = migrated(
      migrated(amounts, count(), (events) => events),
      largest,
      (value) => value,
    );
    expect(await deploy(windows, [largest, FIRST], [fold, MORE])).toEqual({ ann: 18, bob: 5, cid: 13 });
    expect(await deploy(windows, [count(), FIRST], [fold, MORE])).toEqual({ ann: 13, bob: 1, cid: 13 });
  });

  test("revises windows that had closed", async () => {
    const kept = { windower: tumbling("1h"), options: { allowedLateness: "3h" } } as const;
    const fold = migrated(amounts, count(), (events) => events * 100);
    const closing = order("zed", 2 * HOUR, 1);
    const late = order("ann", 4_000, 11);
    expect(await deploy(kept, [count(), [...FIRST, closing]], [fold, [late]])).toEqual({
      ann: 211,
      bob: 1,
      zed: 100,
    });
  });

  test("folds the events again in windows that keep them in order", async () => {
    const ordered = { windower: tumbling("1h"), options: { ordered: true } };
    const fold = migrated(amounts, count(), (events) => events * 100);
    expect(await deploy(ordered, [count(), FIRST], [fold, MORE])).toEqual({ ann: 21, bob: 5, cid: 13 });
  });

  test("is refused for state of other windows, or of a fold that it does not name", async () => {
    const fold = migrated(amounts, count(), (events) => events);
    await expect(deploy(windows, [counted, FIRST], [fold, MORE])).rejects.toThrow(
      /step "hours\.n", fold: kept aggregate\(events:count,amounts:distinct max=1000000\), now sum\./,
    );
  });

  test("does not compile for a fold whose accumulators are not made of a value", () => {
    // @ts-expect-error there is no set with so many values
    expect(() => migrated(distinct(String), count(), (events) => events)).toThrow(
      /cannot be made of a value/,
    );
  });
});
