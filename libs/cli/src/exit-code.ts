import { FencedError, hasCode } from "@millrace/dataflow";
import { RedisOptionsError } from "@millrace/redis-source";
import { UsageError } from "./usage-error.ts";

/** What the exit codes of all programs mean. */
export const EXIT_CODES = Object.freeze({
  /** The work is done, or was stopped on request and drained. */
  ok: 0,
  failure: 1,
  /** An option or a variable is wrong; nothing was started. */
  usage: 2,
  /** Another worker has taken the task over. Whoever supervises this one must not just start it again. */
  fenced: 75,
});

/** The exit code for what a program threw. It goes by the code: a flow may bring a copy of the library of its own. */
export function exitCodeOf(error: unknown): number {
  if (hasCode(error, UsageError.code) || hasCode(error, RedisOptionsError.code)) return EXIT_CODES.usage;
  if (hasCode(error, FencedError.code)) return EXIT_CODES.fenced;
  return EXIT_CODES.failure;
}
