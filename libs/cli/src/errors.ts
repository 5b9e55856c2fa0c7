import { FencedError, hasCode, messageOf, MillraceError } from "@millrace/dataflow/options";
import { RedisOptionsError } from "@millrace/redis-source/options";

/** An invalid command line or environment; the message names the option or the variable. */
export class UsageError extends MillraceError {
  static readonly code = "MILLRACE_USAGE";
  readonly code = UsageError.code;
}

/** Thrown by {@link CommandLine.parse} after it has printed the help or the version, to end the program. */
export class HelpShown extends Error {
  constructor() {
    super("the help was shown");
    this.name = "HelpShown";
  }
}

/** Wraps an error that no code expected; `cause` is the original. */
export class UnexpectedError extends MillraceError {
  static readonly code = "MILLRACE_UNEXPECTED";
  readonly code = UnexpectedError.code;

  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

/** The exit codes of all programs. */
export const EXIT_CODES = Object.freeze({
  /** Done, or stopped on request and drained. */
  ok: 0,
  failure: 1,
  /** An option or a variable is invalid; nothing was started. */
  usage: 2,
  /** Another worker has taken the task over. A supervisor must not simply restart this one. */
  fenced: 75,
});

/** Returns the exit code for an error. It compares the `code`, not the class: a flow may load a second copy of the library. */
export function exitCodeOf(error: unknown): number {
  if (hasCode(error, UsageError.code) || hasCode(error, RedisOptionsError.code)) return EXIT_CODES.usage;
  if (hasCode(error, FencedError.code)) return EXIT_CODES.fenced;
  return EXIT_CODES.failure;
}
