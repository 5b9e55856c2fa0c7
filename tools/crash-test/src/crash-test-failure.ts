import { MillraceError } from "@millrace/dataflow";

const MOST_TOLD = 20;

/** The results differ from the expected ones. */
export class CrashTestFailure extends MillraceError {
  static readonly code = "MILLRACE_CRASH_TEST_FAILED";
  readonly code = CrashTestFailure.code;
}

/** @throws CrashTestFailure if there are problems, which are printed */
export function requireExact(problems: readonly string[], round: string, again: string): void {
  if (problems.length === 0) return;
  for (const problem of problems.slice(0, MOST_TOLD)) process.stdout.write(`${problem}\n`);
  throw new CrashTestFailure(`${round} failed with ${problems.length} differences; ${again}`);
}
