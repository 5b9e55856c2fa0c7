import { setTimeout } from "node:timers";
import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { FAILED_TESTS } from "./failed-tests.mjs";

/** How long Jest may live on after its last test, ms. */
const LONGEST_END_MS = 30_000;

/**
 * A Jest reporter. It prints one line on stderr for each skipped test, and records the failed ones for the last lines of
 * `npm test`. It ends a run that does not end by itself, since one program that a failed test has left would hold it forever.
 */
export default class TestReporter {
  #chosenByName;
  #watches;

  constructor({ testNamePattern, watch, watchAll }) {
    this.#chosenByName = Boolean(testNamePattern);
    this.#watches = watch || watchAll;
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

  onRunComplete() {
    if (this.#watches) return;
    // Only what keeps the process alive makes this timer fire.
    const alive = setTimeout(() => {
      const kept = process.getActiveResourcesInfo().join(", ");
      const failure = `jest ${process.argv.slice(2).join(" ")} did not end; still active: ${kept}`;
      process.stderr.write(`${failure}\n`);
      this.#note(failure);
      process.exit(1);
    }, LONGEST_END_MS);
    alive.unref();
  }

  #note(failure) {
    if (process.env.npm_lifecycle_event === "test") appendFileSync(FAILED_TESTS, `FAILED: ${failure}\n`);
  }
}
