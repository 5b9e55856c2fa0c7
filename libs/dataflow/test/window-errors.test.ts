import { describe, expect, test } from "@jest/globals";
import { Dataflow, IterableSource, MemoryStore, reconcile, run } from "@millrace/dataflow";
import type { DeadLetter, PartResult, WindowOptions } from "@millrace/dataflow";
import { TestingSink } from "@millrace/dataflow/testing";
import { count, eventTime, session, sliding, sum, tumbling } from "@millrace/windowing";
import type { Windower } from "@millrace/windowing";

interface Order {
  readonly at: number;
  readonly amount?: number;
}

interface Totals {
  readonly orders: number;
  readonly revenue: number;
}

const orders: readonly Order[] = [
  { at: 1_000, amount: 5 },
  { at: 6_000 },
  { at: 7_000, amount: 7 },
  { at: 7_000, amount: Number.NaN },
  { at: 9_000, amount: 1 },
];

/** Orders without the amount that their type has, as external data may be. */
function revenue(
  windower: Windower,
  options: WindowOptions<Order>,
): {
  readonly flow: Dataflow;
  readonly out: TestingSink<PartResult<Totals>>;
  readonly letters: TestingSink<DeadLetter>;
} {
  const letters = new TestingSink<DeadLetter>();
  const out = new TestingSink<PartResult<Totals>>();
  const flow = new Dataflow("revenue", { deadLetter: letters });
  flow
    .input("orders", new IterableSource(orders, { batchSize: 2 }))
    .keyBy("all", () => "all")
    .window(
      "w",
      windower,
      eventTime(({ at }: Order) => at, { wait: 0 }),
      options,
    )
    .aggregate("totals", {
      orders: count(),
      revenue: sum((order) => (order as { readonly amount: number }).amount),
    })
    .output("out", out);
  return { flow, out, letters };
}

const windowers: readonly (readonly [string, Windower, readonly Totals[]])[] = [
  [
    "tumbling",
    tumbling(5_000),
    [
      { orders: 1, revenue: 5 },
      { orders: 2, revenue: 8 },
    ],
  ],
  [
    "sliding",
    sliding(10_000, { every: 5_000 }),
    [
      { orders: 1, revenue: 5 },
      { orders: 3, revenue: 13 },
      { orders: 2, revenue: 8 },
    ],
  ],
  ["session", session(10_000), [{ orders: 3, revenue: 13 }]],
];

describe("an event that a window's fold cannot take", () => {
  test.each(windowers)(
    "goes to the dead letter, is in no window, and is accounted for: %s",
    async (_, windower, rows) => {
      for (const store of [undefined, new MemoryStore()]) {
        const { flow, out, letters } = revenue(windower, { onError: "dead-letter" });
        const stats = await run(flow, store === undefined ? {} : { store, commitEveryEvents: 1 });
        expect(out.rows.map(({ value }) => value)).toEqual(rows);
        expect(letters.rows).toMatchObject([
          {
            step: "w.totals",
            reason: {
              code: "step-failed",
              message: expect.stringContaining("sum takes finite numbers, and got undefined"),
            },
            payload: '{"at":6000}',
          },
          { reason: { message: expect.stringContaining("got NaN") } },
        ]);
        expect(reconcile(stats)).toMatchObject({
          windowed: 5,
          counted: 3,
          skipped: 2,
          late: 0,
          unaccounted: 0,
        });
      }
    },
  );

  test.each(windowers)("ends the flow by default, and the error names it: %s", async (_, windower) => {
    await expect(run(revenue(windower, {}).flow)).rejects.toMatchObject({
      code: "MILLRACE_STEP_FAILED",
      message: expect.stringMatching(/step "w.totals".*sum takes finite numbers.*\(event: \{"at":6000\}\)/),
      cause: { code: "MILLRACE_FOLD_VALUE" },
    });
  });

  test("counts once in each run, although the engine counts across runs", async () => {
    const store = new MemoryStore();
    const first = revenue(tumbling(5_000), { onError: "dead-letter" });
    expect(reconcile(await run(first.flow, { store }))).toMatchObject({ skipped: 2, unaccounted: 0 });
    const second = revenue(tumbling(5_000), { onError: "dead-letter" });
    expect(reconcile(await run(second.flow, { store }))).toMatchObject({ skipped: 0, unaccounted: 0 });
  });
});
