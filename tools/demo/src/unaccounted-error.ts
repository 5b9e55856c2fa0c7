import { MillraceError } from "@millrace/dataflow";

/** Some events are neither counted nor known to be lost. */
export class UnaccountedError extends MillraceError {
  static readonly code = "MILLRACE_DEMO_UNACCOUNTED";
  readonly code = UnaccountedError.code;
}
