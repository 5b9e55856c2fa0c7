import { FencedError, hasCode } from "@millrace/dataflow";
import { RedisOptionsError } from "@millrace/redis-source";
import { UsageError } from "./usage-error.ts";

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
