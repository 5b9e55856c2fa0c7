import { relative } from "node:path";

/** A Jest reporter: each test that was left out says so in one line on stderr, whatever else is printed. */
export default class ReportSkipped {
  #chosenByName;

  constructor({ testNamePattern }) {
    this.#chosenByName = Boolean(testNamePattern);
  }

  onTestResult(_test, { testFilePath, testResults }) {
    // Whoever asks for some tests by name knows that the others do not run.
    if (this.#chosenByName) return;
    const file = relative(import.meta.dirname + "/..", testFilePath);
    for (const { status, fullName } of testResults) {
      if (status === "pending" || status === "todo") process.stderr.write(`LEFT OUT: ${file}: ${fullName}\n`);
    }
  }
}
