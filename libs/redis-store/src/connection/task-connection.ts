import type { Logger, TimeProvider } from "@millrace/dataflow";
import { KeyConnections, RetryingClient, connectRedis, describeRedis } from "@millrace/redis-source";
import type { Attempt, RedisConnectionOptions, RedisError, WaitLog } from "@millrace/redis-source";
import { StoreUnavailableError } from "../errors.ts";
import { runScript } from "../scripts/script.ts";
import type { Script } from "../scripts/script.ts";
import { failureOf } from "./failure.ts";

/** Trouble that passes sooner is not logged. */
const PASSING_MS = 1_000;

/** How a task is connected. */
export interface TaskConnectionSettings {
  /** How long (ms) a command is tried since Redis answered last; `Infinity`: as long as it takes. */
  readonly storeTimeoutMs: number;
  readonly logger: Logger;
  readonly time: TimeProvider;
  /**
   * Whether any connection of this store has stood. Before that, nothing being there is a mistake that is said once
   * `connectTimeoutMs` is over; after it, an outage that is waited out. `@default of this task alone`
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
 * A task's way to the node that has its slot. It waits out restarts and failovers, and sends again what got no
 * answer; so all that is sent must be idempotent.
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
      // An outage of a store that was reached is no part of a start.
      const own = reached.yet ? { ...options, startClock: undefined } : options;
      return connectRedis(own, { role: "store", key, logger, time, signal });
    };
    this.#redis = new RetryingClient(
      { address: this.#address, open: (signal) => connections.connect(key, connect, signal) },
      { logger, time, reached, explain: failureOf },
    );
  }

  /**
   * Runs `use`, again from its start whenever the connection is lost on the way.
   *
   * @param purpose what it is for, in the error's words
   * @throws StoreUnavailableError when Redis answered nothing of use for `storeTimeoutMs`
   * @throws RedisError when none was reached within `connectTimeoutMs`, and for what waiting does not mend; what `use`
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

  /** Commands in flight fail. Idempotent. */
  close(): Promise<void> {
    return this.#redis.close();
  }

  #unavailable(purpose: string, reason: RedisError): StoreUnavailableError {
    return new StoreUnavailableError(
      `Redis at ${this.#address} did not ${purpose} within ${this.#settings.storeTimeoutMs} ms: ${reason.message} ` +
        "Bring it back; what was committed is kept, and the next run goes on from there.",
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
