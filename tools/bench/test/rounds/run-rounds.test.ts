import { createLogger } from "@millrace/cli";
import { expect, test } from "@jest/globals";

import type { Measurement } from "../../src/conductor/contender.ts";
import { runRounds } from "../../src/rounds/run-rounds.ts";
import type { RoundSettings, Turn } from "../../src/rounds/run-rounds.ts";

const settings: RoundSettings = {
  rounds: 3,
  scale: 1,
  signal: new AbortController().signal,
  logger: createLogger("test", { level: "silent", format: "json" }),
};

const tell = ({ cpuMicrosPerEvent }: Measurement): string => `${cpuMicrosPerEvent} µs`;

/** A turn that writes down that it was taken. */
function turnOf(name: string, taken: string[], failed?: Turn["failed"]): Turn {
  return {
    case: name,
    contender: name,
    figures: [],
    measure: () => {
      taken.push(name);
      return failed === undefined
        ? Promise.resolve({ cpuMicrosPerEvent: 1, eventsPerSecond: 1, rssMiB: 1 })
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
  "everybody of %d has a turn in each of %d rounds, behind each of the others equally often",
  async (count, rounds) => {
    const taken: string[] = [];
    const turns = Array.from({ length: count }, (_, i) => turnOf(String(i), taken));
    await runRounds(turns, { ...settings, rounds }, tell);
    expect(turns.map(({ figures }) => figures.length)).toEqual(turns.map(() => rounds));
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

test("whoever fails is told once and has no more turns, while the others go on", async () => {
  const taken: string[] = [];
  const failures: unknown[] = [];
  const turns = [turnOf("a", taken), turnOf("b", taken, (error) => failures.push(error))];
  await runRounds(turns, settings, tell);
  expect(taken.join("")).toBe("baaa");
  expect(failures).toEqual([new Error("rows do not add up")]);
});

test("a failure that nobody takes ends the run", async () => {
  const failing: Turn = {
    ...turnOf("a", []),
    measure: () => Promise.reject(new Error("rows do not add up")),
  };
  await expect(runRounds([failing], settings, tell)).rejects.toThrow("rows do not add up");
});
