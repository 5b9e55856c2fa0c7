import { MillraceError, messageOf } from "@millrace/dataflow";

/** Stands for what was thrown where nobody foresaw it; `cause` is that. */
export class UnexpectedError extends MillraceError {
  static readonly code = "MILLRACE_UNEXPECTED";
  readonly code = UnexpectedError.code;

  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}
