import { createLogger } from "@millrace/cli";
import { expect, test } from "@jest/globals";
import type { Case, Run } from "../src/benchmark.ts";
import { runGroup } from "../src/run-benchmark.ts";

const run: Run = {
  rounds: 3,
  scale: 1,
  minutes: 1,
  rate: 1,
  signal: new AbortController().signal,
  logger: createLogger("test", { level: "silent", format: "json" }),
  bed: () => Promise.reject(new Error("no Redis here")),
};

/** A case whose rounds give these figures, one after another. */
function fixed(name: string, costs: readonly number[], more: Partial<Case> = {}): Case {
  const left = [...costs];
  return {
    case: name,
    contender: `the ${name} one`,
    measure: () => Promise.resolve({ cost: left.shift() ?? Number.NaN }),
    ...more,
  };
}

test("figures are medians, ratios are medians of the rounds' own, and targets are compared with them", async () => {
  const lines = await runGroup(
    {
      title: "A group",
      cases: [
        fixed("bare", [1, 10, 2]),
        fixed("own", [2, 15, 6], {
          version: "1.0",
          afterwards: () => Promise.resolve({ latencyMs: 7 }),
          ratios: [{ name: "toBare", of: "cost", to: "bare" }],
          targets: [
            { ratio: "toBare", atMost: 2 },
            { ratio: "toBare", atLeast: 2.5 },
          ],
        }),
      ],
    },
    run,
  );
  expect(lines).toEqual([
    { case: "bare", title: "A group", contender: "the bare one", figures: { rounds: 3, cost: 2 } },
    {
      case: "own",
      title: "A group",
      contender: "the own one",
      version: "1.0",
      figures: { rounds: 3, cost: 6, toBare: 2, latencyMs: 7 },
      targets: [
        { ratio: "toBare", atMost: 2, met: true },
        { ratio: "toBare", atLeast: 2.5, met: false },
      ],
    },
  ]);
});

test("an optional case that fails is left out, with the reason; any other ends the run", async () => {
  const failing = { measure: () => Promise.reject(new Error("rows do not\n add up")) };
  const optional = { role: "optional" } as const;
  const cases = [fixed("a", [1, 1, 1]), fixed("b", [], { ...failing, ...optional })];
  expect(await runGroup({ cases }, run)).toEqual([
    { case: "a", contender: "the a one", figures: { rounds: 3, cost: 1 } },
    { case: "b", contender: "the b one", figures: {}, notRun: "rows do not add up" },
  ]);
  await expect(runGroup({ cases: [fixed("b", [], failing)] }, run)).rejects.toThrow("add up");
});
