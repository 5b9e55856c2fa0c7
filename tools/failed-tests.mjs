/**
 * Prints as the last lines of an `npm test` that failed which tests did, however much was printed after them. With
 * `--forget`, before the tests, it deletes what an interrupted run has left.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** File in which the reporter records failures; removed after it was printed. */
export const FAILED_TESTS =
  process.env.MILLRACE_FAILED_TESTS ?? join(import.meta.dirname, "../.nx/failed-tests.txt");

if (process.argv[1] === import.meta.filename) {
  const forget = process.argv[2] === "--forget";
  if (!forget && existsSync(FAILED_TESTS)) process.stderr.write(readFileSync(FAILED_TESTS));
  rmSync(FAILED_TESTS, { force: true });
  process.exitCode = forget ? 0 : 1;
}
