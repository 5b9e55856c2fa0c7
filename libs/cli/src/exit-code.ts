import { FencedError } from "@millrace/dataflow";
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

/** The exit code for what a program threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError || error instanceof RedisOptionsError) return EXIT_CODES.usage;
  if (error instanceof FencedError) return EXIT_CODES.fenced;
  return EXIT_CODES.failure;
}
