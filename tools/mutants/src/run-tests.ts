import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { byProject } from "./mutant.ts";

/** The result of some test files. */
export type TestOutcome =
  | { readonly kind: "passed" }
  /** @param test name of the first test that failed, other than by a timeout */
  | { readonly kind: "failed"; readonly test: string }
  /** @param test the test that exceeded its timeout; `undefined`: the whole run did */
  | { readonly kind: "timed-out"; readonly test: string | undefined }
  /** The tests' process died. */
  | { readonly kind: "crashed"; readonly why: string }
  /** The tests did not run, for example because a file does not compile. */
  | { readonly kind: "broken"; readonly why: string };

/** Options of {@link runTests}. */
export interface TestRun {
  /** Root of the workspace. */
  readonly root: string;
  readonly tests: readonly string[];
  /** Timeout for the tests of each project. */
  readonly limitMs: number;
  /** Kills them. */
  readonly signal: AbortSignal;
}

/** Runs test files with Jest, project by project, until one fails. @throws the signal's reason */
export async function runTests({ tests, ...run }: TestRun): Promise<TestOutcome> {
  for (const [project, files] of byProject(tests)) {
    const outcome = await runProject(project, { ...run, tests: files });
    if (outcome.kind !== "passed") return outcome;
  }
  return { kind: "passed" };
}

const ENV = {
  NODE_OPTIONS: "--experimental-vm-modules --disable-warning=ExperimentalWarning",
  // A test that fails here is what the mutant is for: the reporter is not to list it among the failures of `npm test`.
  npm_lifecycle_event: undefined,
  // A mutant may fail few of the scripts that the properties of the engine generate.
  PROPERTY_RUNS: "1000",
};

async function runProject(project: string, { root, tests, limitMs, signal }: TestRun): Promise<TestOutcome> {
  signal.throwIfAborted();
  const report = join(root, "jest-report.json");
  await rm(report, { force: true });
  const jest = join(root, "node_modules/jest/bin/jest.js");
  // Open handles of a failed test must not keep the process alive.
  const args = [
    `--config=${project}/jest.config.mjs`,
    "--runInBand",
    "--forceExit",
    `--cacheDirectory=${root}/.cache`,
  ];
  const child = spawn(
    process.execPath,
    [jest, ...args, "--json", `--outputFile=${report}`, "--runTestsByPath", ...tests],
    { cwd: root, env: { ...process.env, ...ENV }, stdio: ["ignore", "ignore", "pipe"] },
  );
  const limit = AbortSignal.timeout(limitMs);
  const over = AbortSignal.any([signal, limit]);
  over.addEventListener("abort", () => child.kill("SIGKILL"));
  const [complaints] = await Promise.all([text(child.stderr), once(child, "close")]);
  signal.throwIfAborted();
  if (limit.aborted) return { kind: "timed-out", test: undefined };
  const written = await readFile(report, "utf8").catch(() => undefined);
  if (written === undefined) return { kind: "crashed", why: excerpt(complaints) };
  return outcomeOf(JSON.parse(written) as JestReport);
}

/** Jest's result of one test. */
interface JestResult {
  readonly status: string;
  readonly fullName: string;
  readonly failureMessages: readonly string[];
}

/** The part of Jest's report that is used here. */
interface JestReport {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly JestResult[];
  }[];
}

function outcomeOf({ success, testResults }: JestReport): TestOutcome {
  if (success) return { kind: "passed" };
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = results.filter(({ status }) => status === "failed");
  const byItself = failed.find((result) => !isTimeOut(result));
  if (byItself !== undefined) return { kind: "failed", test: byItself.fullName };
  const [slow] = failed;
  if (slow !== undefined) return { kind: "timed-out", test: slow.fullName };
  return { kind: "broken", why: excerpt(testResults.map(({ message }) => message).join("\n")) };
}

function isTimeOut({ failureMessages: [first = ""] }: JestResult): boolean {
  return first.includes("Exceeded timeout of");
}

function excerpt(lines: string): string {
  return lines.trim().slice(0, 1_000);
}
