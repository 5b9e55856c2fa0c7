import { expect, test } from "@jest/globals";
import { eventTime, tumbling } from "@millrace/windowing";
import { collectRows } from "./collect-rows.ts";

interface Step {
  readonly order: string;
  readonly at: number;
  readonly paid?: number;
  readonly sent?: string;
}

const STEPS: readonly Step[] = [
  { order: "a", at: 1, paid: 5 },
  { order: "b", at: 2, sent: "post" },
  { order: "a", at: 3, sent: "van" },
  { order: "a", at: 4, paid: 6 },
  { order: "a", at: 11, paid: 7 },
];

test("a join has the value of each side of a key and window in one row", async () => {
  const { rows } = await collectRows(STEPS, (steps) =>
    steps
      .keyBy("order")
      .window("w", tumbling(10), eventTime("at", { wait: 0 }))
      .join({ sides: { paid: ({ paid }) => paid, sent: ({ sent }) => sent } })
      .map(({ key, value }) => ({ key, ...value })),
  );
  expect(rows).toEqual([
    { key: "a", paid: 6, sent: "van" },
    { key: "b", paid: null, sent: "post" },
    { key: "a", paid: 7, sent: null },
  ]);
});

test("a join of products has every combination", async () => {
  const { rows } = await collectRows(STEPS, (steps) =>
    steps
      .keyBy("order")
      .window("w", tumbling(10), eventTime("at", { wait: 0 }))
      .join("both", { sides: { paid: ({ paid }) => paid, sent: ({ sent }) => sent }, insert: "product" })
      .filter((_, key) => key === "a")
      .map(({ value }) => value.map(({ paid, sent }) => `${paid} ${sent}`)),
  );
  expect(rows).toEqual([["5 van", "6 van"], ["7 null"]]);
});
