import { createLogger } from "@millrace/cli";
import { expect, test } from "@jest/globals";
import { selected } from "../src/benchmark.ts";
import type { Case, Run } from "../src/benchmark.ts";
import { runGroup } from "../src/run-group.ts";
import { quantile } from "../src/statistics.ts";
import { markdownTable } from "../src/table.ts";

const run: Run = {
  rounds: 3,
  scale: 1,
  signal: new AbortController().signal,
  logger: createLogger("test", { level: "silent", format: "json" }),
};

/** A case whose rounds give these costs, one after another, and then fail. */
function fixed(name: string, costs: readonly number[], more: Partial<Case> = {}): Case {
  const left = [...costs];
  const measure = (): Promise<{ readonly cost: number }> => {
    const cost = left.shift();
    return cost === undefined ? Promise.reject(new Error("rows do not\n add up")) : Promise.resolve({ cost });
  };
  return { name, contender: `the ${name} one`, measure, ...more };
}

test("figures are medians, ratios are medians of the rounds' own, and targets are compared with them", async () => {
  const own = fixed("own", [2, 15, 600], {
    ratios: [
      { heading: "to bare", of: "cost", to: "bare", atMost: 2 },
      { heading: "again", of: "cost", to: "bare", atLeast: 2.5 },
    ],
  });
  const lines = await runGroup({ name: "test", cases: [fixed("bare", [1, 10, 200.4]), own] }, run);
  expect(markdownTable(lines).split("\n")).toEqual([
    "| contender    | cost | to bare                        | again                                |",
    "| ------------ | ---- | ------------------------------ | ------------------------------------ |",
    "| the bare one | 10   |                                |                                      |",
    "| the own one  | 15   | 2x, 1.5–2.99 (at most 2x: met) | 2x, 1.5–2.99 (at least 2.5x: missed) |",
    "",
  ]);
});

test.each([[["a", "b"]], [["a", "b", "c"]]])("of %j each is first and last in turn", async (names) => {
  const order: string[] = [];
  const cases = names.map((name) =>
    fixed(name, [], { measure: () => Promise.resolve({ nth: order.push(name) }) }),
  );
  await runGroup({ name: "test", cases }, { ...run, rounds: 12 });
  const places = order.map((name, turn) => `${name} ${turn % names.length}`);
  for (const each of new Set(places))
    expect(places.filter((place) => place === each)).toHaveLength(12 / names.length);
});

test("the median of an even number of rounds lies between two, and has three digits or is whole", async () => {
  const cases = [fixed("a", [1234.5, 1, 0.0123456, 7]), fixed("b", [0.0123456, 0.0123456, 0.0123456, 1])];
  const lines = await runGroup({ name: "test", cases }, { ...run, rounds: 4 });
  expect(lines.map(({ figures }) => figures["cost"])).toEqual([4, 0.0123]);
});

test("a quantile is one of the values, whatever their order", () => {
  const values = [3, 1, 2, 4];
  expect([0.01, 0.5, 0.51, 0.99].map((share) => quantile(values, share))).toEqual([1, 2, 3, 4]);
  expect(quantile([], 0.5)).toBeNaN();
});

test("an optional case that fails is left out, with the reason; any other ends the run", async () => {
  const lines = await runGroup(
    { name: "test", cases: [fixed("a", [1, 1, 1]), fixed("b", [1], { optional: true })] },
    run,
  );
  expect(lines.map(({ figures, notRun }) => [figures, notRun])).toEqual([
    [{ cost: 1 }, undefined],
    [{}, "rows do not add up"],
  ]);
  await expect(runGroup({ name: "test", cases: [fixed("b", [1])] }, run)).rejects.toThrow("add up");
});

test("an interrupted run ends at once", async () => {
  const stop = new AbortController();
  const hanging = fixed("a", [], { measure: () => new Promise(() => undefined) });
  const ended = runGroup({ name: "test", cases: [hanging] }, { ...run, signal: stop.signal });
  stop.abort(new Error("stopped"));
  await expect(ended).rejects.toThrow("stopped");
});

test.each([
  [["group"], ["bare", "own", "more"]],
  [["own"], ["bare", "own"]],
  [["bare", "nonsense"], ["bare"]],
])("%j selects the cases %j", (chosen, names) => {
  const own = fixed("own", [], { ratios: [{ heading: "to bare", of: "cost", to: "bare" }] });
  const cases = selected({ name: "group", cases: [fixed("bare", []), own, fixed("more", [])] }, chosen);
  expect(cases.map(({ name }) => name)).toEqual(names);
});
