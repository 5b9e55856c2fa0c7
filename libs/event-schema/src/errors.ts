/** An option that cannot mean anything, such as a negative limit: the program must be mended, not the data. */
export class InvalidOptionError extends Error {
  static readonly code = "MILLRACE_EVENT_SCHEMA_INVALID_OPTION";
  readonly code: typeof InvalidOptionError.code = InvalidOptionError.code;
  readonly retryable = false;
  override readonly name = "InvalidOptionError";
}

/** A frame that no reader could take apart again as it was meant, such as a line that holds a line feed. */
export class FrameEncodeError extends Error {
  static readonly code = "MILLRACE_FRAME_ENCODE";
  readonly code: typeof FrameEncodeError.code = FrameEncodeError.code;
  readonly retryable = false;
  override readonly name = "FrameEncodeError";
}
