import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Mutant } from "../src/mutant.ts";
import { MutantsFailure } from "../src/mutants-failure.ts";
import { runMutants } from "../src/run-mutants.ts";
import type { Verdict } from "../src/run-mutants.ts";

const ROOT = join(import.meta.dirname, "../../..");
const SOURCE = "libs/tiny/src/tiny.ts";
const TEST = "libs/tiny/test/tiny.test.ts";

/** A workspace of one library, whose tests check `half` and not `twice`. */
const FILES = {
  "package.json": "{}",
  [SOURCE]: [
    "export const twice = (n: number): number => n * 2;",
    "export const half = (n: number): number => n / 2;",
    "export const count = (n: number): number => { let i = 0; while (i < n) i += 1; return i; };",
  ].join("\n"),
  [TEST]: `
    import { expect, test } from "@jest/globals";
    import { count, half } from "../src/tiny.ts";
    test("half is half", () => { expect(half(4)).toBe(2); });
    test("it counts", () => { expect(count(3)).toBe(3); });
  `,
  "libs/tiny/jest.config.mjs": `
    import base from ${JSON.stringify(join(ROOT, "jest.config.base.mjs"))};
    export default { ...base, rootDir: import.meta.dirname };
  `,
};

/** Tests that wait for a condition that the mutant makes false. */
const WAITING_TEST = `
  import { expect, test } from "@jest/globals";
  import { half, twice } from "../src/tiny.ts";
  test("half comes", async () => { await new Promise((resolve) => { if (half(4) === 2) resolve(); }); }, 200);
  test("twice is twice", () => { expect(twice(4)).toBe(8); });
`;

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-tiny-"));
  for (const [name, content] of Object.entries(FILES)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  await symlink(join(ROOT, "node_modules"), join(root, "node_modules"));
});

afterEach(() => rm(root, { recursive: true }));

function mutant(id: string, search: string, replace: string): Mutant {
  return { id, file: SOURCE, search, replace, tests: [TEST], guard: "a test" };
}

async function verdicts(mutants: readonly Mutant[], limitMs = 60_000): Promise<Record<string, string>> {
  const seen: Verdict[] = [];
  const onVerdict = (verdict: Verdict): void => void seen.push(verdict);
  const { signal } = new AbortController();
  const all = await runMutants({ root, mutants, parallel: 2, limitMs, signal, onVerdict });
  expect(all).toEqual(seen);
  return Object.fromEntries(seen.map(({ mutant: { id }, fate, how }) => [id, `${fate}: ${how}`]));
}

describe("runMutants", () => {
  test("reports which mutants are detected, by which test, and does not change the workspace", async () => {
    expect(
      await verdicts([
        mutant("noticed", "n / 2", "n / 3"),
        mutant("unnoticed", "n * 2", "n * 3"),
        mutant("crashing", "n / 2", "process.reallyExit(1)"),
        mutant("no-program", "n / 2", "n / ("),
        mutant("gone", "n / 7", "n / 8"),
        mutant("twice-there", "(n: number)", "(m: number)"),
      ]),
    ).toEqual({
      noticed: "killed: half is half",
      unnoticed: "survived: no test detects it",
      crashing: expect.stringMatching(/^killed: the tests' process died/),
      "no-program": expect.stringMatching(/^survived: the tests do not run/),
      gone: expect.stringMatching(/^survived: .*occurs 0 times/),
      "twice-there": expect.stringMatching(/^survived: .*occurs 3 times/),
    });
    expect(await readFile(join(root, SOURCE), "utf8")).toBe(FILES[SOURCE]);
  });

  test("stops a mutant that does not end, and reports it separately from those that a test detects", async () => {
    const endless = mutant("endless", "i += 1", "i += 0");
    expect(await verdicts([endless], 5_000)).toEqual({ endless: "timed-out: the tests do not end" });
  });

  test("reports a test that times out separately from one that fails, and does not wait for open handles", async () => {
    await writeFile(join(root, TEST), WAITING_TEST);
    expect(
      await verdicts([
        mutant("waiting", "n / 2", "n / 3"),
        mutant("waiting-and-noticed", "n * 2", "(setInterval(() => undefined, 1_000), n * 3)"),
      ]),
    ).toEqual({
      waiting: "timed-out: half comes does not end",
      "waiting-and-noticed": "killed: twice is twice",
    });
  });

  test("refuses tests that fail without any mutant", async () => {
    await writeFile(join(root, SOURCE), FILES[SOURCE].replace("n / 2", "n / 5"));
    await expect(verdicts([mutant("any", "n * 2", "n * 3")])).rejects.toThrow(MutantsFailure);
  });
});
