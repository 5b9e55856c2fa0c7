/** An option that cannot mean anything, such as a negative limit: the program must be mended, not the data. */
export class InvalidOptionError extends Error {
  static readonly code = "MILLRACE_EVENT_SCHEMA_INVALID_OPTION";
  readonly code: typeof InvalidOptionError.code = InvalidOptionError.code;
  readonly retryable = false;
  override readonly name = "InvalidOptionError";
}
