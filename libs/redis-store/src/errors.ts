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

/** A key of a task holds what somebody else put there. Nothing was written. */
export class KeyOccupiedError extends RedisError {
  static readonly code = "MILLRACE_STORE_KEY_OCCUPIED";
  readonly code: string = KeyOccupiedError.code;
}

/** A part of what a task committed is missing: it was evicted or deleted. Nothing was written. */
export class StateIncompleteError extends RedisError {
  static readonly code = "MILLRACE_STORE_STATE_INCOMPLETE";
  readonly code: string = StateIncompleteError.code;
}
