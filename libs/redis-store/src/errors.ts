import { RedisError } from "@millrace/redis-source";

/** Redis did not take a task's command within the time that was left for it, reconnects included. */
export class StoreUnavailableError extends RedisError {
  static readonly code = "MILLRACE_STORE_UNAVAILABLE";
  readonly code: string = StoreUnavailableError.code;
  override readonly retryable = true;
}

/** A commit is larger than `maxCommitBytes`. Nothing of it was applied. */
export class CommitTooLargeError extends RedisError {
  static readonly code = "MILLRACE_STORE_COMMIT_TOO_LARGE";
  readonly code: string = CommitTooLargeError.code;
}

/**
 * A key of a task holds what another program put there. The command that met it wrote nothing. A large commit may have
 * been made before: then the next run applies what is left of it.
 */
export class KeyOccupiedError extends RedisError {
  static readonly code = "MILLRACE_STORE_KEY_OCCUPIED";
  readonly code: string = KeyOccupiedError.code;
}

/** A part of what a task committed is missing: it was evicted or deleted. The command that met it wrote nothing. */
export class StateIncompleteError extends RedisError {
  static readonly code = "MILLRACE_STORE_STATE_INCOMPLETE";
  readonly code: string = StateIncompleteError.code;
}
