import { expect, test } from "@jest/globals";
import { runRounds } from "../src/rounds.ts";
import type { Turn } from "../src/rounds.ts";

/** A turn that writes down that it was taken. */
function turnOf(name: string, taken: string[], failed?: Turn["failed"]): Turn {
  return {
    case: name,
    measure: () => {
      taken.push(name);
      return failed === undefined
        ? Promise.resolve({ ms: 1 })
        : Promise.reject(new Error("rows do not add up"));
    },
    ...(failed === undefined ? {} : { failed }),
  };
}

test.each([
  [3, 6],
  [4, 4],
  [7, 14],
])(
  "each of %d has a turn in each of %d rounds, after each of the others equally often",
  async (count, rounds) => {
    const taken: string[] = [];
    const turns = Array.from({ length: count }, (_, i) => turnOf(String(i), taken));
    const figures = await runRounds(turns, { rounds });
    expect([...figures.keys()]).toEqual(turns.map((turn) => turn.case));
    for (const each of figures.values()) expect(each).toHaveLength(rounds);
    const pairs = new Map<string, number>();
    taken.forEach((name, at) => {
      if (at % count === 0) return;
      const pair = `${taken[at - 1] ?? ""} ${name}`;
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    });
    expect(pairs.size).toBe(count * (count - 1));
    expect(new Set(pairs.values()).size).toBe(1);
  },
);

test("one that fails is reported once and has no more turns, while the others go on", async () => {
  const taken: string[] = [];
  const failures: unknown[] = [];
  const turns = [turnOf("a", taken), turnOf("b", taken, (error) => failures.push(error))];
  await runRounds(turns, { rounds: 3 });
  expect(taken.join("")).toBe("baaa");
  expect(failures).toEqual([new Error("rows do not add up")]);
});

test("a failure that is not taken ends the run", async () => {
  const failing: Turn = {
    ...turnOf("a", []),
    measure: () => Promise.reject(new Error("rows do not add up")),
  };
  await expect(runRounds([failing], { rounds: 3 })).rejects.toThrow("rows do not add up");
});
