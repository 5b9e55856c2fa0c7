import { DEFAULT_LOGGER, SYSTEM_TIME, withDefaults } from "@millrace/dataflow";
import type { Logger, TimeProvider } from "@millrace/dataflow";
import { RedisOptionsError } from "@millrace/redis-source";
import { DEFAULT_KEY_PREFIX, requireKeyPrefix } from "./task-keys.ts";

/**
 * Points in a commit at which a test may crash the process. A commit that is sent again passes them again.
 *
 * - `before-commit`: nothing is sent yet.
 * - `staged`: all pieces of a large commit are in Redis, and it is not made yet.
 * - `made`: a large commit is durable, and its pieces are not applied yet.
 * - `after-commit`: Redis has answered that the commit is applied, and the task does not know it yet.
 */
export type FailPoint = "before-commit" | "staged" | "made" | "after-commit";

/** Options of a `RedisStore`. */
export interface RedisStoreOptions {
  /** First part of every key, without braces. `@default "millrace"` */
  readonly keyPrefix?: string;
  /** Most bytes of one commit; a larger one is refused with a CommitTooLargeError. `@default 67_108_864 (64 MiB)` */
  readonly maxCommitBytes?: number;
  /**
   * Most bytes of one value, which Redis writes at once, in about 4 ms a MiB. A larger row is replaced by one that says so,
   * with a warning in the log; a larger state of one key is written, with one warning. `@default 1_048_576 (1 MiB)`
   */
  readonly maxValueBytes?: number;
  /**
   * Most bytes of a commit in one script call, which blocks Redis for about 5 ms a MiB. A larger commit, or
   * one of more than some 20,000 fields, is staged in pieces of a millisecond each. `@default 2_097_152 (2 MiB)`
   */
  readonly maxCallBytes?: number;
  /** Fields in one page of a load. `@default 1_000` */
  readonly pageFields?: number;
  /**
   * How long (ms) a command is retried since the last answer of Redis, once the store was reached, before it fails. Until
   * then the task and its source wait, and the log says so every 30 s. `@default Infinity`
   */
  readonly storeTimeoutMs?: number;
  /** @default warnings and errors on standard error */
  readonly logger?: Logger;
  /** @default the system's clock and timers */
  readonly time?: TimeProvider;
  /** For tests: called at each {@link FailPoint}; the commit continues when it returns. `@default does nothing` */
  readonly failPoint?: (name: FailPoint) => void | Promise<void>;
}

/** Resolved options. */
export type StoreSettings = Required<RedisStoreOptions>;

/** The default options of a `RedisStore`. */
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
      `storeTimeoutMs is ${settings.storeTimeoutMs}. Give a number of at least 1; Infinity waits without limit.`,
    );
  }
  requireKeyPrefix(settings.keyPrefix);
  return settings;
}
