import type { Redis } from "ioredis";
import { pause } from "@millrace/dataflow";
import type { Logger, TimeProvider } from "@millrace/dataflow";
import {
  KeyConnections,
  RedisClosedError,
  RedisError,
  RedisUnreachableError,
  backOffMs,
  connectRedis,
  describeRedis,
  isReply,
  isWrongNode,
} from "@millrace/redis-source";
import type { RedisConnection, RedisConnectionOptions } from "@millrace/redis-source";
import { StoreUnavailableError } from "../errors.ts";
import { runScript } from "../scripts/script.ts";
import type { Script } from "../scripts/script.ts";
import { failureOf } from "./failure.ts";
import { TIMED_OUT, withTimeout } from "./with-timeout.ts";

/** A server that answers nothing for so long is taken for lost, and the command is sent on a new connection. */
const ANSWER_MS = 5_000;
const BACK_OFF = { firstMs: 20, longestMs: 1_000 };
/** Trouble that lasts so long is logged, and then again after each {@link REMIND_MS}. */
const PASSING_MS = 1_000;
const REMIND_MS = 30_000;

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
  /** A number from 0 to 1, for the delays. `@default Math.random` */
  readonly random?: () => number;
}

/** One connection in use. */
export interface Link {
  /** Where it leads, for people. */
  readonly address: string;
  readonly client: Redis;
  /** Waits for an answer, but not for ever. */
  readonly answer: <T>(reply: Promise<T>) => Promise<T>;
  readonly script: (
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ) => Promise<unknown>;
}

/** A command of a {@link Link} failed, and may succeed later. */
class RetryableError extends Error {
  readonly reason: RedisError;
  /** A connection was lost, which its own log tells. */
  readonly lost: boolean;

  constructor(reason: RedisError, lost: boolean) {
    super(reason.message);
    this.reason = reason;
    this.lost = lost;
  }
}

/**
 * A task's way to the node that has its slot. It waits out restarts and failovers, and sends again what got no
 * answer; so all that is sent must be idempotent.
 */
export class TaskConnection {
  readonly #options: RedisConnectionOptions;
  readonly #key: string;
  readonly #settings: TaskConnectionSettings;
  readonly #reached: { yet: boolean };
  readonly #connections: KeyConnections;
  readonly #closing = new AbortController();
  #connection: Promise<RedisConnection> | undefined;
  #giveUpAt = 0;

  /** @param key any key of the task: the connection follows its slot */
  constructor(options: RedisConnectionOptions, key: string, settings: TaskConnectionSettings) {
    this.#options = options;
    this.#key = key;
    this.#settings = settings;
    this.#reached = settings.reached ?? { yet: false };
    this.#connections = settings.connections ?? new KeyConnections();
  }

  /**
   * Runs `use`, again from its start whenever the connection is lost on the way. One call at a time.
   *
   * @param purpose what it is for, in the error's words
   * @throws StoreUnavailableError when Redis answered nothing of use for `storeTimeoutMs`
   * @throws RedisError when none was reached within `connectTimeoutMs`, and for what waiting does not mend; what `use`
   *   itself throws
   */
  async run<T>(purpose: string, use: (link: Link) => Promise<T>): Promise<T> {
    const { time, storeTimeoutMs, random } = this.#settings;
    this.#giveUpAt = time.monotonic() + storeTimeoutMs;
    const wait = new WaitLog(this.#settings, () => this.#address(), purpose);
    for (let attempt = 0; ; attempt += 1) {
      try {
        const result = await use(await this.#link());
        wait.over();
        return result;
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
        if (!error.lost) wait.goesOn(error.reason);
        const delayMs = backOffMs(attempt, BACK_OFF, random);
        if (time.monotonic() + delayMs >= this.#giveUpAt) throw this.#unavailable(purpose, error.reason);
        await pause(time, delayMs, this.#closing.signal);
      }
    }
  }

  /** Commands under way fail. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(this.#closedError());
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.then((open) => open.close(), ignore);
  }

  async #link(): Promise<Link> {
    const { time, storeTimeoutMs } = this.#settings;
    const connection = await this.#connected();
    const client = await this.#inTime(
      connection.whenUp(),
      Number.POSITIVE_INFINITY,
      () => connection.trouble ?? silence(connection.address),
    );
    const overdue = (): RedisError => {
      const reason = silence(connection.address);
      connection.discard(client, reason);
      return reason;
    };
    const answer = async <T>(reply: Promise<T>): Promise<T> => {
      try {
        const answered = await this.#inTime(reply, ANSWER_MS, overdue);
        this.#giveUpAt = time.monotonic() + storeTimeoutMs;
        return answered;
      } catch (error) {
        if (error instanceof RetryableError) throw error;
        const failure = failureOf(error, connection.address);
        if (!failure.retryable) throw failure;
        const moved = isWrongNode(error);
        if (moved) connection.discard(client, error);
        throw new RetryableError(failure, moved || !isReply(error));
      }
    };
    return {
      address: connection.address,
      client,
      answer,
      script: (script, keys, args) => answer(runScript(client, script, keys, args)),
    };
  }

  /** @throws RedisError; RetryableError once some connection of the store has stood */
  async #connected(): Promise<RedisConnection> {
    const { time, storeTimeoutMs } = this.#settings;
    this.#closing.signal.throwIfAborted();
    this.#connection ??= this.#connect();
    try {
      const address = this.#address();
      if (this.#reached.yet) {
        return await this.#inTime(this.#connection, Number.POSITIVE_INFINITY, () => silence(address));
      }
      // Only `connectTimeoutMs` bounds the first connection; the time of the store begins with it.
      const connection = await this.#connection;
      this.#reached.yet = true;
      this.#giveUpAt = time.monotonic() + storeTimeoutMs;
      return connection;
    } catch (error) {
      if (error instanceof RetryableError) throw error;
      this.#connection = undefined;
      if (this.#reached.yet && error instanceof RedisError && error.retryable)
        throw new RetryableError(error, false);
      throw error;
    }
  }

  async #connect(): Promise<RedisConnection> {
    const { logger, time } = this.#settings;
    // An outage of a store that was reached is no part of a start.
    const options = this.#reached.yet ? { ...this.#options, startClock: undefined } : this.#options;
    const { connection } = await this.#connections.connect(
      this.#key,
      (signal) => connectRedis(options, { role: "store", key: this.#key, logger, time, signal }),
      this.#closing.signal,
    );
    return connection;
  }

  /**
   * Waits for something, but no longer than commands are tried.
   *
   * @param overdue called when it takes longer; what it returns is the reason of the RetryableError
   */
  async #inTime<T>(promise: Promise<T>, atMostMs: number, overdue: () => RedisError): Promise<T> {
    const { time } = this.#settings;
    const ms = Math.min(Math.max(this.#giveUpAt - time.monotonic(), 0), atMostMs);
    const result = await withTimeout(promise, ms, time, this.#closing.signal);
    if (result === TIMED_OUT) throw new RetryableError(overdue(), true);
    return result;
  }

  #unavailable(purpose: string, reason: RedisError): StoreUnavailableError {
    return new StoreUnavailableError(
      `Redis at ${this.#address()} did not ${purpose} within ${this.#settings.storeTimeoutMs} ms: ${reason.message} ` +
        "Bring it back; what was committed is kept, and the next run goes on from there.",
    );
  }

  #closedError(): RedisClosedError {
    return new RedisClosedError(`The store in Redis at ${this.#address()} is closed.`);
  }

  #address(): string {
    return describeRedis(this.#options);
  }
}

/** Says that a command waits, every so often, and that it does no more. */
class WaitLog {
  readonly #settings: TaskConnectionSettings;
  readonly #address: () => string;
  readonly #purpose: string;
  readonly #since: number;
  #nextAt: number;
  #told = false;

  constructor(settings: TaskConnectionSettings, address: () => string, purpose: string) {
    this.#settings = settings;
    this.#address = address;
    this.#purpose = purpose;
    this.#since = settings.time.monotonic();
    this.#nextAt = this.#since + PASSING_MS;
  }

  goesOn({ message, code }: RedisError): void {
    const { time, logger } = this.#settings;
    const now = time.monotonic();
    if (now < this.#nextAt) return;
    this.#nextAt = now + REMIND_MS;
    this.#told = true;
    const redis = this.#address();
    const waitedMs = Math.round(now - this.#since);
    logger.warn(
      { event: "store-waiting", redis, code, waitedMs },
      `waiting for Redis at ${redis} to ${this.#purpose}, for ${Math.round(waitedMs / 1_000)} s now: ${message}`,
    );
  }

  over(): void {
    if (!this.#told) return;
    const { time, logger } = this.#settings;
    const waitedMs = Math.round(time.monotonic() - this.#since);
    logger.info(
      { event: "store-back", redis: this.#address(), waitedMs },
      `Redis at ${this.#address()} works again (${this.#purpose})`,
    );
  }
}

function silence(address: string): RedisError {
  return new RedisUnreachableError(`Redis at ${address} does not answer.`);
}

function ignore(): void {
  // It never stood: there is nothing to close.
}
