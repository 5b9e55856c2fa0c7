import { describe, expect, test } from "@jest/globals";

import { createWindowEngine, eventTime, tumbling } from "../src/index.ts";
import { approximateDistinct } from "./examples/approximate-distinct.ts";
import { quantiles } from "./examples/quantiles.ts";
import { topK } from "./examples/top-k.ts";
import { foldLaws } from "./support/fold-laws.ts";

interface Visit {
  readonly at: number;
  readonly page: string;
  readonly user: string;
  readonly ms: number;
}

const visits: readonly Visit[] = Array.from({ length: 1_000 }, (_, index) => ({
  at: index,
  page: `/${String(Math.floor(Math.sqrt(index % 36)))}`,
  user: `user-${String(index % 400)}`,
  ms: index % 100,
}));
const few = visits.slice(0, 40);

const windows = {
  windower: tumbling(1_000),
  clock: eventTime(({ at }: Visit) => at, { wait: 0 }),
};
const batch = { keys: visits.map(() => "site"), values: visits };

describe("topK", () => {
  foldLaws(() => topK(3, ({ page }: Visit) => page), few);

  test("returns the most frequent names", () => {
    const engine = createWindowEngine({ ...windows, fold: topK(2, ({ page }: Visit) => page) });
    engine.process(batch, 0);
    expect(engine.finish("end").results[0]?.value).toEqual(["/5", "/4"]);
  });
});

describe("quantiles", () => {
  foldLaws(() => quantiles(({ ms }: Visit) => ms, [0.5]), few);

  test("are exact to a few percent", () => {
    const engine = createWindowEngine({ ...windows, fold: quantiles(({ ms }: Visit) => ms, [0.5, 0.99]) });
    engine.process(batch, 0);
    const [median, high] = engine.finish("end").results[0]?.value ?? [];
    expect(Math.abs((median ?? 0) - 50)).toBeLessThan(3);
    expect(Math.abs((high ?? 0) - 99)).toBeLessThan(3);
  });
});

describe("approximateDistinct", () => {
  foldLaws(() => approximateDistinct(({ user }: Visit) => user), few);

  test("is exact to a few percent", () => {
    const engine = createWindowEngine({ ...windows, fold: approximateDistinct(({ user }: Visit) => user) });
    engine.process(batch, 0);
    const [row] = engine.finish("end").results;
    expect(Math.abs((row?.value ?? 0) - 400)).toBeLessThan(40);
  });
});
