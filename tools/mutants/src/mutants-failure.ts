import { MillraceError } from "@millrace/dataflow";

/** A mutant survived, or mutants could not be run. */
export class MutantsFailure extends MillraceError {
  static readonly code = "MILLRACE_MUTANTS_FAILED";
  readonly code = MutantsFailure.code;
}
