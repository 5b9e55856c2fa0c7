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

describe("the crash test without one of the guards", () => {
  test.each(["slow-reader", "full-disk"])(
    "fails if the sink does not wait until rows are written: %s",
    async (fault) => {
      const { problems } = await runRound({ ...plan(), faults: [fault], without: "flush" });
      expect(problems).toEqual([expect.stringMatching(/\d+ of \d+ committed rows were never printed/)]);
    },
    TIMEOUT_MS,
  );

  test(
    "fails if duplicate numbers are not checked, and reports how to repeat the run",
    async () => {
      const args = ["--seed=5", "--faults=lose-publish-answer", "--without=duplicate-numbers"];
      const { code, output, log } = await startProgram(MAIN, { args }).ended;
      expect(output).toContainEqual(
        expect.stringMatching(/: the hash has with \d+ events .* instead of \d+/),
      );
      expect(log.at(-1)?.msg).toMatch(/round 1 of seed 5 failed with \d+ differences.*--seed=5 --rounds=1/);
      expect(code).toBe(1);
    },
    TIMEOUT_MS,
  );

  test(
    "fails if the commit's number is not checked",
    async () => {
      const faults = ["lose-commit-answer"];
      const { problems } = await runRound({ ...plan(), faults, without: "commit-number" });
      expect(problems).toContainEqual(expect.stringMatching(/: revision \d+ is twice in the history/));
    },
    TIMEOUT_MS,
  );

  test(
    "fails if the fence is not checked",
    async () => {
      const faults = ["two-owners"];
      const { problems } = await runRound({ ...plan(), faults, without: "fence" });
      expect(problems).toContain("two-owners: the old owner continued beside the new one");
    },
    TIMEOUT_MS,
  );
});
