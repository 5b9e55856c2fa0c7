import { RedisError } from "@millrace/redis-source";

/** Redis did not take a task's command within the time that was left for it, reconnects included. */
export class StoreUnavailableError extends RedisError {
  static readonly code = "MILLRACE_STORE_UNAVAILABLE";
  readonly code: string = StoreUnavailableError.code;
  override readonly retryable = true;
}

/** A commit, or one value in it, is beyond its bound. Nothing of it was applied. */
export class CommitTooLargeError extends RedisError {
  static readonly code = "MILLRACE_STORE_COMMIT_TOO_LARGE";
  readonly code: string = CommitTooLargeError.code;
}
