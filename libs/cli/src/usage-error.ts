import { MillraceError } from "@millrace/dataflow";

/** A command line or an environment that cannot be meant; the message names the option or the variable. */
export class UsageError extends MillraceError {
  static readonly code = "MILLRACE_USAGE";
  readonly code = UsageError.code;
}
