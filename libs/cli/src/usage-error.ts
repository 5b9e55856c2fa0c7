import { MillraceError } from "@millrace/dataflow";

/** An invalid command line or environment; the message names the option or the variable. */
export class UsageError extends MillraceError {
  static readonly code = "MILLRACE_USAGE";
  readonly code = UsageError.code;
}
