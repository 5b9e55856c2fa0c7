import type { Redis } from "ioredis";
import type { Logger, TimeProvider } from "@millrace/dataflow";
import { RedisClosedError, RedisUnreachableError, connectRedis, describeRedis } from "@millrace/redis-source";
import type { RedisConnection, RedisConnectionOptions, RedisError } from "@millrace/redis-source";
import { StoreUnavailableError } from "../errors.ts";
import { runScript } from "../scripts/script.ts";
import type { Script } from "../scripts/script.ts";
import { failureOf, isElsewhere } from "./failure.ts";
import { OVERDUE, within } from "./within.ts";

/** A server that answers nothing for so long is taken for lost, and the command is sent on a new connection. */
const ANSWER_MS = 5_000;
const FIRST_DELAY_MS = 20;
const LONGEST_DELAY_MS = 1_000;

/** How a task is connected. */
export interface TaskConnectionSettings {
  /** How long (ms) a command is tried since Redis answered last. */
  readonly retryMs: number;
  readonly logger: Logger;
  readonly time: TimeProvider;
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

/** A command of a {@link Link} failed, in a way that may pass. */
class Interrupted extends Error {
  readonly reason: RedisError;

  constructor(reason: RedisError) {
    super(reason.message);
    this.reason = reason;
  }
}

/**
 * A task's way to the node that has its slot. It waits out restarts and failovers, and sends again what got no
 * answer; so whatever is sent must bear to be sent twice.
 */
export class TaskConnection {
  readonly #options: RedisConnectionOptions;
  readonly #key: string;
  readonly #settings: TaskConnectionSettings;
  readonly #closing = new AbortController();
  #connection: Promise<RedisConnection> | undefined;
  #giveUpAt = 0;

  /** @param key any key of the task: the connection follows its slot */
  constructor(options: RedisConnectionOptions, key: string, settings: TaskConnectionSettings) {
    this.#options = options;
    this.#key = key;
    this.#settings = settings;
  }

  /**
   * Runs `use`, again from its start whenever the connection is lost on the way. One call at a time.
   *
   * @param purpose what it is for, in the error's words
   * @throws StoreUnavailableError when Redis answered nothing of use for `retryMs`
   * @throws RedisError for what waiting does not mend; what `use` itself throws
   */
  async run<T>(purpose: string, use: (link: Link) => Promise<T>): Promise<T> {
    const { time, retryMs } = this.#settings;
    this.#giveUpAt = time.now() + retryMs;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await use(await this.#link());
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        const delayMs = Math.min(FIRST_DELAY_MS * 2 ** attempt, LONGEST_DELAY_MS);
        if (time.now() + delayMs >= this.#giveUpAt) throw this.#unavailable(purpose, error.reason);
        await this.#bounded(new Promise<never>(never), delayMs);
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
    const { time, retryMs } = this.#settings;
    const connection = await this.#attempt(this.#open(), this.#address());
    const client = await this.#attempt(connection.whenUp(), connection.address);
    const answer = async <T>(reply: Promise<T>): Promise<T> => {
      const answered = await this.#attempt(reply, connection.address, ANSWER_MS, () => {
        connection.discard(client);
      });
      this.#giveUpAt = time.now() + retryMs;
      return answered;
    };
    return {
      address: connection.address,
      client,
      answer,
      script: (script, keys, args) => answer(runScript(client, script, keys, args)),
    };
  }

  async #open(): Promise<RedisConnection> {
    const { logger, time } = this.#settings;
    this.#closing.signal.throwIfAborted();
    this.#connection ??= connectRedis(this.#options, {
      role: "store",
      key: this.#key,
      logger,
      time,
      signal: this.#closing.signal,
    });
    try {
      return await this.#connection;
    } catch (error) {
      this.#connection = undefined;
      throw error;
    }
  }

  /**
   * @param discard gives the connection up: it is mute, or with the wrong node
   * @throws Interrupted, RedisError
   */
  async #attempt<T>(
    promise: Promise<T>,
    address: string,
    atMostMs = Number.POSITIVE_INFINITY,
    discard: () => void = ignore,
  ): Promise<T> {
    const leftMs = Math.max(this.#giveUpAt - this.#settings.time.now(), 0);
    let result: T | typeof OVERDUE;
    try {
      result = await this.#bounded(promise, Math.min(leftMs, atMostMs));
    } catch (error) {
      if (isElsewhere(error)) discard();
      const failure = failureOf(error, address);
      throw failure.retryable ? new Interrupted(failure) : failure;
    }
    if (result !== OVERDUE) return result;
    discard();
    throw new Interrupted(new RedisUnreachableError(`Redis at ${address} does not answer.`));
  }

  #bounded<T>(promise: Promise<T>, ms: number): Promise<T | typeof OVERDUE> {
    return within(promise, ms, this.#settings.time, this.#closing.signal);
  }

  #unavailable(purpose: string, reason: RedisError): StoreUnavailableError {
    return new StoreUnavailableError(
      `Redis at ${this.#address()} did not ${purpose} within ${this.#settings.retryMs} ms: ${reason.message} ` +
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

function never(): void {
  // Such a promise only ends by its bound.
}

function ignore(): void {
  // Nothing to give up, or nobody to tell.
}
