import { MillraceError } from "@millrace/dataflow";

/** The HTTP server cannot listen. */
export class HttpError extends MillraceError {
  static readonly code = "MILLRACE_HTTP_FAILED";
  readonly code = HttpError.code;
}

/** The HTTP server must not listen with these options: others could read without a token, or could guess it. */
export class HttpOptionError extends MillraceError {
  static readonly code = "MILLRACE_HTTP_OPTION_INVALID";
  readonly code = HttpOptionError.code;
}
