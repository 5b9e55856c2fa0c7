import { MillraceError } from "@millrace/dataflow";

/** The HTTP server cannot listen, or must not with these options. */
export class HttpError extends MillraceError {
  static readonly code = "MILLRACE_HTTP_FAILED";
  readonly code = HttpError.code;
}
