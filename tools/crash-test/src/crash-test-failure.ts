import { MillraceError } from "@millrace/dataflow";

/** The results differ from the expected ones. */
export class CrashTestFailure extends MillraceError {
  static readonly code = "MILLRACE_CRASH_TEST_FAILED";
  readonly code = CrashTestFailure.code;
}
