import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { startProgram } from "@millrace/local-redis/programs";
import { Random } from "../src/conductor/random.ts";
import { runRound } from "../src/conductor/run-round.ts";
import type { RoundPlan } from "../src/conductor/round.ts";

/** Many processes start and end, on a machine that may be busy. */
const TIMEOUT_MS = 180_000;
const MAIN = join(import.meta.dirname, "../dist/main.js");

/** Shorter than the default, to keep the test short. */
function plan(): Omit<RoundPlan, "faults"> {
  return { random: new Random(1), without: undefined, awayMs: 4_000 };
}

describe("the crash test", () => {
  test(
    "passes with all guards and a stop under load, and reports that in one line",
    async () => {
      const faults = "--faults=after-commit,two-owners,lose-commit-answer,lose-publish-answer,stop";
      const { code, output } = await startProgram(MAIN, { args: ["--rounds=1", "--seed=1", faults] }).ended;
      expect(output).toEqual([
        expect.stringMatching(/^passed: [12] rounds of seed 1, .* after-commit [12], /),
      ]);
      expect(code).toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    "passes if keys have a wrong type or are gone, results are counted again, and the reader of the rows sleeps",
    async () => {
      const faults = ["wrong-type-result", "evict", "wrong-type-state", "recount", "slow-reader"];
      const { problems } = await runRound({ ...plan(), faults });
      expect(problems).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "passes if the disk is full, connections carry no data, and Redis is unreachable",
    async () => {
      const faults = ["full-disk", "half-open", "store-away"];
      const { problems } = await runRound({ ...plan(), faults });
      expect(problems).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "passes if the primary fails over to a replica that lacks commits",
    async () => {
      const { problems } = await runRound({ ...plan(), faults: ["sentinel-failover"] });
      expect(problems).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
