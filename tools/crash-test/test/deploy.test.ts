import { expect, test } from "@jest/globals";
import { Random } from "../src/conductor/random.ts";
import { runDeploy, runRolling } from "../src/deploy/run-deploy.ts";

test("versions that add steps and migrate others, and back, have exact results through deaths and stops", async () => {
  const { problems, rows } = await runDeploy(new Random(1), ["first", "second", "back"]);
  expect(problems).toEqual([]);
  expect(rows).toBeGreaterThan(0);
}, 180_000);

test("workers of two versions share partitions: the older ones leave those of the newer as they are, and end", async () => {
  const { problems, rows } = await runRolling(new Random(1));
  expect(problems).toEqual([]);
  expect(rows).toBeGreaterThan(0);
}, 180_000);
