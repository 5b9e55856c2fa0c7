import { describe, expect, test } from "@jest/globals";
import { Random } from "../src/conductor/random.ts";
import { runShares } from "../src/shares/run-shares.ts";

/** Many processes start and end, on a machine that may be busy. */
const TIMEOUT_MS = 180_000;

describe("workers that share partitions", () => {
  test(
    "have exact results through joins, leaves, a death, a stall beyond the lease and a restart of Redis",
    async () => {
      const troubles = ["gentle", "kill", "stall", "restart"] as const;
      const { problems, takeOversMs } = await runShares({
        random: new Random(1),
        troubles,
        way: { kind: "streams" },
      });
      expect(problems).toEqual([]);
      expect(takeOversMs).toHaveLength(7);
    },
    TIMEOUT_MS,
  );

  test(
    "commit what is another's if the fence is not checked",
    async () => {
      const { problems } = await runShares({
        random: new Random(1),
        troubles: ["stall"],
        without: "fence",
        way: { kind: "streams" },
      });
      expect(problems).toContainEqual(expect.stringMatching(/the fence did not refuse \d+ of \d+ commits/));
    },
    TIMEOUT_MS,
  );

  test(
    "count what the publisher sends again twice if its events have no numbers",
    async () => {
      const { problems } = await runShares({
        random: new Random(1),
        troubles: ["restart"],
        without: "duplicate-numbers",
        way: { kind: "streams" },
      });
      expect(problems).toContainEqual(expect.stringMatching(/the history ends with \d+ events/));
    },
    TIMEOUT_MS,
  );

  test(
    "do work twice if a task goes to another worker before it is finished",
    async () => {
      const { problems } = await runShares({
        random: new Random(1),
        troubles: ["gentle"],
        without: "drain",
        way: { kind: "streams" },
      });
      expect(problems).toContainEqual(expect.stringMatching(/taken from a worker before it had finished/));
    },
    TIMEOUT_MS,
  );
});
