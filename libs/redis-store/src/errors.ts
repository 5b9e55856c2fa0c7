import { RedisError } from "@millrace/redis-source";

/** Redis did not answer a task's command within its time limit, reconnects included. */
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
 * A key of a task holds what another program wrote. The command that found it wrote nothing. A large commit may have
 * been made before: then the next run applies the rest of it.
 */
export class KeyOccupiedError extends RedisError {
  static readonly code = "MILLRACE_STORE_KEY_OCCUPIED";
  readonly code: string = KeyOccupiedError.code;
}

/** The workers that share a flow's tasks have other partitions than this one. */
export class SharedPartsError extends RedisError {
  static readonly code = "MILLRACE_SHARED_PARTS_DIFFER";
  readonly code: string = SharedPartsError.code;
}

/** A part of a task's state is missing: it was evicted or deleted. The command that found it wrote nothing. */
export class StateIncompleteError extends RedisError {
  static readonly code = "MILLRACE_STORE_STATE_INCOMPLETE";
  readonly code: string = StateIncompleteError.code;
}
