import { MillraceError } from "@millrace/dataflow";

/** Results were not as they must be. */
export class CrashTestFailure extends MillraceError {
  static readonly code = "MILLRACE_CRASH_TEST_FAILED";
  readonly code = CrashTestFailure.code;
}
