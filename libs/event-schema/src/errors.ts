export { InvalidOptionError } from "@millrace/json";

/** A frame that no reader could take apart again as it was meant, such as a line that holds a line feed. */
export class FrameEncodeError extends Error {
  static readonly code = "MILLRACE_FRAME_ENCODE";
  readonly code: typeof FrameEncodeError.code = FrameEncodeError.code;
  readonly retryable = false;
  override readonly name = "FrameEncodeError";
}
