import { MillraceError, messageOf } from "@millrace/dataflow";

/** Wraps an error that no code expected; `cause` is the original. */
export class UnexpectedError extends MillraceError {
  static readonly code = "MILLRACE_UNEXPECTED";
  readonly code = UnexpectedError.code;

  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}
