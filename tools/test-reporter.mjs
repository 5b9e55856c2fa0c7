import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { FAILED_TESTS } from "./failed-tests.mjs";

/**
 * A Jest reporter. It prints one line on stderr for each skipped test, and records the failed ones for the last lines of
 * `npm test`.
 */
export default class TestReporter {
  #chosenByName;

  constructor({ testNamePattern }) {
    this.#chosenByName = Boolean(testNamePattern);
  }

  onTestResult(_test, { testFilePath, testResults, testExecError }) {
    const file = relative(import.meta.dirname + "/..", testFilePath);
    if (testExecError) this.#note(`${file}: ${testExecError.message.split("\n", 1)[0]}`);
    for (const { status, fullName } of testResults) {
      if (status === "failed") this.#note(`${file}: ${fullName}`);
      // A run with a name pattern skips the other tests on purpose.
      const leftOut = status === "pending" || status === "todo";
      if (leftOut && !this.#chosenByName) process.stderr.write(`LEFT OUT: ${file}: ${fullName}\n`);
    }
  }

  #note(failure) {
    if (process.env.npm_lifecycle_event === "test") appendFileSync(FAILED_TESTS, `FAILED: ${failure}\n`);
  }
}
