import type { Logger, TimeProvider } from "@millrace/dataflow";
import { KeyConnections, RetryingClient, connectRedis, describeRedis } from "@millrace/redis-source";
import type { Attempt, RedisConnectionOptions, RedisError, WaitLog } from "@millrace/redis-source";
import { StoreUnavailableError } from "../errors.ts";
import { runScript } from "../scripts/script.ts";
import type { Script } from "../scripts/script.ts";
import { failureOf } from "./failure.ts";

/** Shorter outages are not logged. */
const PASSING_MS = 1_000;

/** Settings of a task's connection. */
export interface TaskConnectionSettings {
  /** How long (ms) a command is retried since the last answer of Redis; `Infinity`: without limit. */
  readonly storeTimeoutMs: number;
  readonly logger: Logger;
  readonly time: TimeProvider;
  /**
   * Whether any connection of this store was ever open. Before that, a missing Redis is a mistake that is reported when
   * `connectTimeoutMs` is over; after it, the store waits until the outage ends. `@default of this task alone`
   */
  readonly reached?: { yet: boolean };
  /** The connections of the store, which its tasks share. `@default one of this task alone` */
  readonly connections?: KeyConnections;
}

/** One connection in use, for commands and scripts of the store. */
export interface TaskAttempt extends Attempt {
  readonly script: (
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ) => Promise<unknown>;
}

/**
 * A task's connection to the node that has its slot. It waits until restarts and failovers end, and retries what got no
 * answer; so all commands must be idempotent.
 */
export class TaskConnection {
  readonly #redis: RetryingClient;
  readonly #address: string;
  readonly #settings: TaskConnectionSettings;

  /** @param key any key of the task: the connection follows its slot */
  constructor(options: RedisConnectionOptions, key: string, settings: TaskConnectionSettings) {
    const { logger, time, reached = { yet: false }, connections = new KeyConnections() } = settings;
    this.#settings = settings;
    this.#address = describeRedis(options);
    const connect = (signal: AbortSignal): ReturnType<typeof connectRedis> => {
      // An outage of a store that was reached before does not count as a start.
      const own = reached.yet ? { ...options, startClock: undefined } : options;
      return connectRedis(own, { role: "store", key, logger, time, signal });
    };
    this.#redis = new RetryingClient(
      { address: this.#address, open: (signal) => connections.connect(key, connect, signal) },
      { logger, time, reached, explain: failureOf },
    );
  }

  /**
   * Runs `use`, and runs it again from its start whenever the connection is lost.
   *
   * @param purpose what Redis is asked to do, for messages
   * @throws StoreUnavailableError if Redis gave no usable answer for `storeTimeoutMs`
   * @throws RedisError if none was reached within `connectTimeoutMs`, and for failures that are not retryable; what `use`
   *   itself throws
   */
  run<T>(purpose: string, use: (attempt: TaskAttempt) => Promise<T>): Promise<T> {
    const limit = {
      afterMs: this.#settings.storeTimeoutMs,
      error: (reason: RedisError) => this.#unavailable(purpose, reason),
    };
    return this.#redis.run(
      (attempt) =>
        use({
          ...attempt,
          script: (script, keys, args) => attempt.answer(runScript(attempt.client, script, keys, args)),
        }),
      { limit, log: this.#waitLog(purpose) },
    );
  }

  /** Closes the connection; commands in flight fail. Idempotent. */
  close(): Promise<void> {
    return this.#redis.close();
  }

  #unavailable(purpose: string, reason: RedisError): StoreUnavailableError {
    return new StoreUnavailableError(
      `Redis at ${this.#address} did not ${purpose} within ${this.#settings.storeTimeoutMs} ms: ${reason.message} ` +
        "Bring it back; what was committed is kept, and the next run continues from there.",
    );
  }

  #waitLog(purpose: string): WaitLog {
    const { logger } = this.#settings;
    const redis = this.#address;
    return {
      afterMs: PASSING_MS,
      waits({ message, code }, _address, waitedMs) {
        logger.warn(
          { event: "store-waiting", redis, code, waitedMs },
          `waiting for Redis at ${redis} to ${purpose}, for ${Math.round(waitedMs / 1_000)} s now: ${message}`,
        );
      },
      over(_address, waitedMs) {
        logger.info({ event: "store-back", redis, waitedMs }, `Redis at ${redis} works again (${purpose})`);
      },
    };
  }
}
