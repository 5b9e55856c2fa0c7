import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";

const ROOT = resolve(import.meta.dirname, "../../..");
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-skipped-"));
  env = {
    ...process.env,
    NODE_OPTIONS: "",
    npm_lifecycle_event: "test",
    MILLRACE_FAILED_TESTS: join(folder, "failed.txt"),
  };
  await writeFile(
    join(folder, "some.test.js"),
    'test("runs", () => {}); describe("a", () => { test.skip("b (needs c)", () => {}); }); test.todo("d");',
  );
});

afterAll(() => rm(folder, { recursive: true }));

/** The lines about skipped tests from a run of Jest in the folder. */
function leftOut(...args: readonly string[]): readonly string[] {
  const config = {
    rootDir: folder,
    testMatch: ["**/*.test.js"],
    reporters: [join(ROOT, "tools/test-reporter.mjs")],
  };
  const jest = join(ROOT, "node_modules/jest/bin/jest.js");
  const { stderr } = spawnSync(process.execPath, [jest, "--config", JSON.stringify(config), ...args], {
    encoding: "utf8",
    env,
  });
  return stderr.split("\n").filter((line) => line !== "");
}

test("each skipped test is reported in one line on standard error", () => {
  const file = relative(ROOT, join(folder, "some.test.js"));
  expect(leftOut()).toEqual([`LEFT OUT: ${file}: a b (needs c)`, `LEFT OUT: ${file}: d`]);
});

test("failed tests are in the last lines of `npm test`, once", async () => {
  await writeFile(join(folder, "bad.test.js"), 'test("is wrong", () => { expect(1).toBe(2); });');
  leftOut("--testPathPatterns=bad");
  const last = (): string =>
    spawnSync(process.execPath, [join(ROOT, "tools/failed-tests.mjs")], { encoding: "utf8", env }).stderr;
  expect(last()).toContain(`FAILED: ${relative(ROOT, join(folder, "bad.test.js"))}: is wrong\n`);
  expect(last()).toBe("");
  leftOut("--testPathPatterns=bad");
  spawnSync(process.execPath, [join(ROOT, "tools/failed-tests.mjs"), "--forget"], { env });
  expect(last()).toBe("");
  await rm(join(folder, "bad.test.js"));
});

test("tests that a name pattern skips are not reported", () => {
  expect(leftOut("--testNamePattern=runs")).toEqual([]);
});
