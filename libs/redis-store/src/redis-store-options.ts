import { DEFAULT_LOGGER, SYSTEM_TIME, withDefaults } from "@millrace/dataflow";
import type { Logger, TimeProvider } from "@millrace/dataflow";
import { RedisOptionsError } from "@millrace/redis-source";
import { DEFAULT_KEY_PREFIX, requireKeyPrefix } from "./task-keys.ts";

/**
 * Places in a commit where a test may let its process die. A commit that is sent again comes by them again.
 *
 * - `before-commit`: nothing has been sent.
 * - `staged`: all pieces of a large commit lie in Redis, and it is not made.
 * - `made`: a large commit is made, and its pieces are still to be applied.
 * - `after-commit`: Redis has answered that all is applied, and the task does not know.
 */
export type FailPoint = "before-commit" | "staged" | "made" | "after-commit";

/** Options of a `RedisStore`. */
export interface RedisStoreOptions {
  /** First part of every key, without braces. `@default "millrace"` */
  readonly keyPrefix?: string;
  /** Bytes of one commit; a larger one is refused with a CommitTooLargeError. `@default 67_108_864 (64 MiB)` */
  readonly maxCommitBytes?: number;
  /**
   * Bytes of one value, which Redis takes in one go, about 4 ms a MiB. A larger row is replaced by one that says so,
   * with a warning in the log; a larger state of one key is written, with one warning. `@default 1_048_576 (1 MiB)`
   */
  readonly maxValueBytes?: number;
  /**
   * Bytes of a commit that goes in one script call, which keeps Redis from others for about 5 ms a MiB. A larger one, or
   * one of more than some 20,000 fields, is staged in pieces of a millisecond each. `@default 2_097_152 (2 MiB)`
   */
  readonly maxCallBytes?: number;
  /** Fields that one page of a load asks for. `@default 1_000` */
  readonly pageFields?: number;
  /**
   * How long (ms) a command is tried since Redis answered last, once a connection has stood, before it fails. Until
   * then the task waits, its source with it, and the log says so every 30 s. `@default Infinity`
   */
  readonly storeTimeoutMs?: number;
  /** @default warnings and errors on standard error */
  readonly logger?: Logger;
  /** @default the system's clock and timers */
  readonly time?: TimeProvider;
  /** For tests: called at each {@link FailPoint}; the commit goes on when it returns. `@default nothing` */
  readonly failPoint?: (name: FailPoint) => void | Promise<void>;
}

/** The same without choices left open. */
export type StoreSettings = Required<RedisStoreOptions>;

/** What a `RedisStore` does without options. */
export const DEFAULT_REDIS_STORE_OPTIONS: Required<RedisStoreOptions> = Object.freeze({
  keyPrefix: DEFAULT_KEY_PREFIX,
  maxCommitBytes: 64 * 1_024 * 1_024,
  maxValueBytes: 1_024 * 1_024,
  maxCallBytes: 2 * 1_024 * 1_024,
  pageFields: 1_000,
  storeTimeoutMs: Infinity,
  logger: DEFAULT_LOGGER,
  time: SYSTEM_TIME,
  failPoint: () => undefined,
});

/** @throws RedisOptionsError */
export function resolveStoreOptions(options: RedisStoreOptions): StoreSettings {
  const settings = withDefaults(DEFAULT_REDIS_STORE_OPTIONS, options);
  for (const name of ["maxCommitBytes", "maxValueBytes", "maxCallBytes", "pageFields"] as const) {
    if (!Number.isSafeInteger(settings[name]) || settings[name] < 1) {
      throw new RedisOptionsError(`${name} is ${settings[name]}. Give a whole number of at least 1.`);
    }
  }
  if (!(settings.storeTimeoutMs >= 1)) {
    throw new RedisOptionsError(
      `storeTimeoutMs is ${settings.storeTimeoutMs}. Give a number of at least 1; Infinity waits as long as it takes.`,
    );
  }
  requireKeyPrefix(settings.keyPrefix);
  return settings;
}
