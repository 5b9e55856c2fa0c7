import { describe, expect, test } from "@jest/globals";
import { judgeDrain } from "../src/shares/judge-drain.ts";
import { judgeFence } from "../src/shares/judge-fence.ts";

const at = (second: number, event: string): { time: string; event: string; msg: string; level: string } => ({
  time: new Date(second * 1_000).toISOString(),
  event,
  msg: event,
  level: "info",
});

describe("the judge of the drain", () => {
  const span = { from: at(10, "").time, to: at(20, "").time };

  test("finds a task that was taken from a worker", () => {
    const { problems, lapsed } = judgeDrain([[at(5, "reading"), at(12, "task-dropped")]], span);
    expect(problems).toEqual(["1 tasks were taken from a worker before it had finished them"]);
    expect(lapsed).toBe(0);
  });

  test.each(["lease-over", "session-over"])("does not judge a worker with %s, but the others", (lapse) => {
    const starved = [at(12, lapse), at(13, "task-lost"), at(13, "task-dropped")];
    expect(judgeDrain([starved, []], span)).toEqual({ problems: [], lapsed: 1 });
    expect(judgeDrain([starved, [at(13, "task-lost")]], span).problems).toHaveLength(1);
  });

  test("leaves out what was done to workers afterwards", () => {
    expect(judgeDrain([[at(21, "lease-over"), at(22, "task-lost")]], span)).toEqual({
      problems: [],
      lapsed: 0,
    });
  });
});

describe("the judge of the fence", () => {
  const commit = (
    fence: number,
    number: number,
    outcome: string,
  ): ReturnType<typeof at> & { part: string; fence: number; number: number; outcome: string } => ({
    ...at(1, "committed"),
    part: "events-0",
    fence,
    number,
    outcome,
  });

  test("finds a commit that a later owner had overtaken and that was not refused", () => {
    const later = [commit(2, 7, "applied")];
    expect(judgeFence([[commit(1, 7, "already-applied"), commit(1, 8, "fenced")], later])).toEqual([
      "the fence did not refuse 1 of 2 commits that another worker had overtaken",
    ]);
  });

  test("accepts a commit that was applied before the later owner's, whenever it was answered", () => {
    expect(
      judgeFence([[commit(1, 6, "applied"), commit(1, 7, "fenced")], [commit(2, 7, "applied")]]),
    ).toEqual([]);
  });

  test("compares only commits of the same partition", () => {
    const other = { ...commit(2, 7, "applied"), part: "events-1" };
    expect(judgeFence([[commit(1, 7, "applied")], [other]])).toEqual([]);
  });
});
