import { describe, expect, test } from "@jest/globals";
import { Dataflow, IterableSource, MemoryStore, run } from "@millrace/dataflow";
import { TestingSink } from "@millrace/dataflow/testing";
import { eventTime } from "@millrace/windowing";
import type { CustomWindower, WindowResult } from "@millrace/windowing";

/** Halves of a minute of unequal length: the first has so many ms. */
function halves(firstMs: number): CustomWindower {
  return {
    kind: "custom",
    description: `halves of a minute, the first of ${firstMs} ms`,
    exclusive: true,
    assign(timestamp) {
      const minute = Math.floor(timestamp / 60_000);
      const middle = minute * 60_000 + firstMs;
      return timestamp < middle
        ? [{ id: 2 * minute, open: minute * 60_000, close: middle }]
        : [{ id: 2 * minute + 1, open: middle, close: (minute + 1) * 60_000 }];
    },
  };
}

function flowOver(
  times: readonly number[],
  windower: CustomWindower,
  out: TestingSink<WindowResult<number>>,
): Dataflow {
  const flow = new Dataflow("halves");
  flow
    .input("in", new IterableSource(times))
    .keyBy("all", () => "all")
    .window(
      "per_half",
      windower,
      eventTime((time: number) => time, { wait: 0 }),
    )
    .count("events")
    .output("out", out);
  return flow;
}

describe("a custom windower in a flow", () => {
  test("emits the rows of its windows", async () => {
    const out = new TestingSink<WindowResult<number>>();
    await run(flowOver([0, 9_999, 10_000, 59_999, 60_000], halves(10_000), out));
    expect(out.rows.map(({ value, window: { id, open, close } }) => [id, open, close, value])).toEqual([
      [0, 0, 10_000, 2],
      [1, 10_000, 60_000, 2],
      [2, 60_000, 70_000, 1],
    ]);
  });

  test("with another description refuses the state, and names both", async () => {
    const store = new MemoryStore();
    const out = new TestingSink<WindowResult<number>>();
    await run(flowOver([0], halves(10_000), out), { store });
    await expect(run(flowOver([0, 1], halves(20_000), out), { store })).rejects.toMatchObject({
      code: "MILLRACE_STATE_MISMATCH",
      message: expect.stringMatching(/the first of 10000 ms.*the first of 20000 ms/),
    });
  });
});
