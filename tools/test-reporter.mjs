import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { FAILED_TESTS } from "./failed-tests.mjs";

/**
 * A Jest reporter. Each test that was left out says so in one line on stderr, whatever else is printed; what failed is
 * noted for the last lines of `npm test`.
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
      // Whoever asks for some tests by name knows that the others do not run.
      const leftOut = status === "pending" || status === "todo";
      if (leftOut && !this.#chosenByName) process.stderr.write(`LEFT OUT: ${file}: ${fullName}\n`);
    }
  }

  #note(failure) {
    if (process.env.npm_lifecycle_event === "test") appendFileSync(FAILED_TESTS, `FAILED: ${failure}\n`);
  }
}
