/** Prints the names of the failed tests as the last lines of a failed `npm test`. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** File in which the reporter records failures; removed after it was printed. */
export const FAILED_TESTS =
  process.env.MILLRACE_FAILED_TESTS ?? join(import.meta.dirname, "../.nx/failed-tests.txt");

if (process.argv[1] === import.meta.filename) {
  if (existsSync(FAILED_TESTS)) process.stderr.write(readFileSync(FAILED_TESTS));
  rmSync(FAILED_TESTS, { force: true });
  process.exitCode = 1;
}
