/** The last lines of an `npm test` that failed: which tests did, however much was printed after them. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Where the reporter notes what failed; gone once it was printed. */
export const FAILED_TESTS =
  process.env.MILLRACE_FAILED_TESTS ?? join(import.meta.dirname, "../.nx/failed-tests.txt");

if (process.argv[1] === import.meta.filename) {
  if (existsSync(FAILED_TESTS)) process.stderr.write(readFileSync(FAILED_TESTS));
  rmSync(FAILED_TESTS, { force: true });
  process.exitCode = 1;
}
