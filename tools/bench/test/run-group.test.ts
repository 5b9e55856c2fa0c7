import { createLogger } from "@millrace/cli";
import { expect, test } from "@jest/globals";
import type { Case, Run } from "../src/benchmark.ts";
import { runGroup } from "../src/run-group.ts";

const run: Run = {
  rounds: 3,
  scale: 1,
  signal: new AbortController().signal,
  logger: createLogger("test", { level: "silent", format: "json" }),
  bed: () => Promise.reject(new Error("no Redis here")),
};

/** A case whose rounds give these costs, one after another, and then fail. */
function fixed(name: string, costs: readonly number[], more: Partial<Case> = {}): Case {
  const left = [...costs];
  const measure = (): Promise<{ readonly cost: number }> => {
    const cost = left.shift();
    return cost === undefined ? Promise.reject(new Error("rows do not\n add up")) : Promise.resolve({ cost });
  };
  return { case: name, contender: `the ${name} one`, measure, ...more };
}

test("figures are medians, ratios are medians of the rounds' own, and targets are compared with them", async () => {
  const more: Partial<Case> = {
    version: "1.0",
    ratios: [{ name: "toBare", of: "cost", to: "bare" }],
    targets: [
      { ratio: "toBare", atMost: 2 },
      { ratio: "toBare", atLeast: 2.5 },
    ],
  };
  // The quotient of the medians would be 3.
  const cases = [fixed("bare", [1, 10, 2]), fixed("own", [2, 15, 6], more)];
  expect(await runGroup({ title: "A group", cases }, run)).toEqual([
    { case: "bare", title: "A group", contender: "the bare one", figures: { rounds: 3, cost: 2 } },
    {
      case: "own",
      title: "A group",
      contender: "the own one",
      version: "1.0",
      figures: { rounds: 3, cost: 6, toBare: 2 },
      targets: [
        { ratio: "toBare", atMost: 2, met: true },
        { ratio: "toBare", atLeast: 2.5, met: false },
      ],
    },
  ]);
});

test("the median of an even number of rounds lies between two; figures have three digits or are whole", async () => {
  const cases = [fixed("a", [1234.5, 1, 0.0123456, 7]), fixed("b", [9999.9, 123.456, 1, 1000])];
  const lines = await runGroup({ cases }, { ...run, rounds: 4 });
  expect(lines.map(({ figures }) => figures["cost"])).toEqual([4, 562]);
});

test("an optional case that fails is left out, with the reason; any other ends the run", async () => {
  const cases = [fixed("a", [1, 1, 1]), fixed("b", [1], { optional: true })];
  expect(await runGroup({ cases }, run)).toEqual([
    { case: "a", contender: "the a one", figures: { rounds: 3, cost: 1 } },
    { case: "b", contender: "the b one", figures: {}, notRun: "rows do not add up" },
  ]);
  await expect(runGroup({ cases: [fixed("b", [1])] }, run)).rejects.toThrow("add up");
});

test.each([
  [3, 6],
  [4, 4],
  [7, 14],
])("%d cases in %d rounds: each runs after each of the others equally often", async (count, rounds) => {
  const taken: string[] = [];
  const cases = Array.from({ length: count }, (_, i) => ({
    ...fixed(String(i), []),
    measure: () => Promise.resolve({ place: taken.push(String(i)) }),
  }));
  await runGroup({ cases }, { ...run, rounds });
  expect(taken).toHaveLength(count * rounds);
  const pairs = new Map<string, number>();
  taken.forEach((name, at) => {
    const pair = `${taken[at - 1] ?? ""} ${name}`;
    if (at % count > 0) pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  });
  expect(pairs.size).toBe(count * (count - 1));
  expect(new Set(pairs.values()).size).toBe(1);
});
