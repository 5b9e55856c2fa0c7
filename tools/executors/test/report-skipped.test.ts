import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";

const ROOT = resolve(import.meta.dirname, "../../..");
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-skipped-"));
  await writeFile(
    join(folder, "some.test.js"),
    'test("runs", () => {}); describe("a", () => { test.skip("b (needs c)", () => {}); }); test.todo("d");',
  );
});

afterAll(() => rm(folder, { recursive: true }));

/** What a run of Jest in the folder writes about tests that were left out. */
function leftOut(...args: readonly string[]): readonly string[] {
  const config = {
    rootDir: folder,
    testMatch: ["**/*.test.js"],
    reporters: [join(ROOT, "tools/report-skipped.mjs")],
  };
  const jest = join(ROOT, "node_modules/jest/bin/jest.js");
  const { stderr } = spawnSync(process.execPath, [jest, "--config", JSON.stringify(config), ...args], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  return stderr.split("\n").filter((line) => line !== "");
}

test("each test that is left out says so in one line on standard error", () => {
  const file = relative(ROOT, join(folder, "some.test.js"));
  expect(leftOut()).toEqual([`LEFT OUT: ${file}: a b (needs c)`, `LEFT OUT: ${file}: d`]);
});

test("those left out by a name that was asked for do not", () => {
  expect(leftOut("--testNamePattern=runs")).toEqual([]);
});
