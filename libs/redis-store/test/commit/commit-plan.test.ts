import { expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Commit } from "@millrace/dataflow";
import { planCommit } from "../../src/commit/commit-plan.ts";
import type { CommitPlan } from "../../src/commit/commit-plan.ts";
import { TaskKeys } from "../../src/task-keys.ts";
import { TASK, commitOf, rowsOut, rowsTo } from "../support/commits.ts";

const KEYS = new TaskKeys(TASK);
const LIMITS = { maxCommitBytes: 1e9, maxValueBytes: 1e6, maxCallBytes: 1 };

const plan = (
  commit: Commit,
  yieldToEventLoop = (): Promise<void> => Promise.resolve(),
): Promise<CommitPlan> => planCommit(KEYS, commit, LIMITS, yieldToEventLoop);

function commandsIn(piece: readonly string[]): readonly (readonly string[])[] {
  const commands = [];
  for (let at = 0; at < piece.length; at += Number(piece[at]) + 1) {
    commands.push(piece.slice(at + 1, at + 1 + Number(piece[at])));
  }
  return commands;
}

function commitWith(fields: number, valueLength: number, rows: number): Commit {
  const value = "x".repeat(valueLength);
  const put = Array.from({ length: fields }, (_, i) => [`key ${i}`, value] as const);
  return commitOf(1, {
    changes: [{ group: "w/1", drop: true, put, delete: put.map(([key]) => key) }],
    outputs: [rowsOut(...Array.from({ length: rows }, (_, i) => ({ i, value })))],
  });
}

it("limits one call to what it can do in a few milliseconds", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(5_000), fc.nat(5_000), fc.nat(2_000), async (fields, valueLength, rows) => {
      fc.pre((fields + rows) * valueLength < 5e6);
      const { pieces } = await plan(commitWith(fields, valueLength, rows));
      for (const piece of pieces) {
        expect(piece.length).toBeLessThan(2_500);
        expect(piece.join("").length).toBeLessThan(300_000);
      }
    }),
    { numRuns: 30 },
  );
});

it("divides operations into pieces without losing or adding any", async () => {
  const { pieces } = await plan(commitWith(3_000, 20, 700));
  const commands = pieces.flatMap(commandsIn);
  const named = (name: string): readonly (readonly string[])[] =>
    commands.filter(([first]) => first === name);
  expect(pieces.length).toBeGreaterThan(3);
  expect(commands.map(([name]) => name).filter((name, i, all) => name !== all[i - 1])).toEqual([
    "DROP",
    "PUT",
    "DELETE",
    "ENTRY",
    "WATERMARK",
  ]);
  expect(named("PUT").flatMap(([, , , ...fields]) => fields)).toHaveLength(6_000);
  expect(named("DELETE").flatMap(([, , , ...fields]) => fields)).toHaveLength(3_000);
  expect(named("ENTRY")).toHaveLength(700);
});

it("notifies after all rows, and sets the watermark last", async () => {
  const planned = async (rows: number): Promise<readonly (readonly string[])[]> => {
    const outputs = [rowsTo({ notice: "publish" }, ...Array.from({ length: rows }, (_, i) => i))];
    return (await plan(commitOf(1, { outputs, watermark: 7 }))).pieces.flatMap(commandsIn);
  };
  expect((await planned(2)).map(([name]) => name)).toEqual(["ENTRY", "ENTRY", "PUBLISH", "WATERMARK"]);
  const large = await planned(1_000);
  expect(large.slice(-2).map(([name]) => name)).toEqual(["PUBLISH", "WATERMARK"]);
  expect(large.at(-1)).toEqual(["WATERMARK", "7"]);
});

it("yields to the event loop while it divides a large commit", async () => {
  let turns = 0;
  const yieldToEventLoop = (): Promise<void> => {
    turns += 1;
    return Promise.resolve();
  };
  const { pieces } = await plan(commitWith(50_000, 1, 0), yieldToEventLoop);
  expect(turns).toBeGreaterThanOrEqual(Math.floor(pieces.length / 8) - 1);
  expect(turns).toBeGreaterThan(2);
});
