import type { Redis } from "ioredis";
import { pause } from "@millrace/dataflow";
import type { Logger, TimeProvider } from "@millrace/dataflow";
import { RedisClosedError, RedisUnreachableError } from "../errors.ts";
import type { RedisError } from "../errors.ts";
import { watchAnswers } from "./answer-limit.ts";
import type { AnswerWatch } from "./answer-limit.ts";
import { CONNECT_BACK_OFF, backOffMs } from "./back-off.ts";
import { explainFailure, isReply, isWrongNode } from "./explain-failure.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { TIMED_OUT, withTimeout } from "./waiting.ts";

/** While Redis refuses commands, this is logged again at this interval. */
const REMIND_MS = 30_000;

/** How a {@link RetryingClient} works. */
export interface RetrySettings {
  readonly logger: Logger;
  readonly time: TimeProvider;
  /** The step that uses it, for the log. `@default none` */
  readonly step?: string;
  /** The key that commands are about, for messages. `@default none` */
  readonly key?: string;
  /**
   * Whether a connection has ever been open. Before that, a connection that cannot be opened fails the call; after it,
   * the call waits until the outage ends. `@default of this client alone`
   */
  readonly reached?: { yet: boolean };
  /**
   * Explains why a command failed. It throws the error itself if that comes neither from Redis nor from the connection.
   * `@default explainFailure`
   */
  readonly explain?: (error: unknown, address: string) => RedisError;
  /** Returns a number from 0 to 1, for the delays. `@default Math.random` */
  readonly random?: () => number;
}

/** How one call is retried. */
export interface RetryOptions {
  /** When to give up. `@default never` */
  readonly limit?: RetryLimit;
  /** @default `redis-not-ready` at once, and every 30 s */
  readonly log?: WaitLog;
}

/** How long a call is retried. */
export interface RetryLimit {
  /** Since Redis answered last, ms. */
  readonly afterMs: number;
  /** The error of a call that is given up. */
  readonly error: (reason: RedisError) => RedisError;
}

/** How to log a call that Redis refuses for now. A lost connection is logged by the connection. */
export interface WaitLog {
  /** Trouble is logged once it lasts this long (ms), and then every 30 s. */
  readonly afterMs: number;
  /** Called when the call still waits: first after `afterMs`, then every 30 s. */
  waits(reason: RedisError, address: string, waitedMs: number): void;
  /** Called for an answer after `waits`. */
  over?(address: string, waitedMs: number): void;
}

/** One attempt over one connection. When the connection is lost, another attempt sends everything from the start. */
export interface Attempt {
  /** The server's address, for messages. */
  readonly address: string;
  readonly client: Redis;
  /**
   * Waits for an answer. If the server answers nothing for 8 s, the connection is given up.
   *
   * @param takesMs how long the command itself may take, on top of that; `@default 0`
   */
  readonly answer: <T>(reply: Promise<T>, takesMs?: number) => Promise<T>;
  /** The same limit for several answers: it starts again at each. */
  readonly watch: () => AnswerWatch;
}

/** A connection that is opened at its first use, and again after a failed attempt. */
export interface LazyConnection {
  /** The address to connect to, for messages. */
  readonly address: string;
  /** Opens it. */
  readonly open: (signal: AbortSignal) => Promise<RedisConnection>;
}

/**
 * Sends commands until Redis answers: it waits for restarts and failovers to end, and retries what got no answer. So all
 * commands must be idempotent. This is the only loop that retries commands; the connection below it only reconnects.
 */
export class RetryingClient {
  readonly #lazy: LazyConnection;
  readonly #settings: RetrySettings;
  readonly #reached: { yet: boolean };
  readonly #closing = new AbortController();
  #connection: RedisConnection | undefined;
  #opening: Promise<RedisConnection> | undefined;

  /** @param connection closed together with this client */
  constructor(connection: RedisConnection | LazyConnection, settings: RetrySettings) {
    this.#settings = settings;
    this.#reached = settings.reached ?? { yet: false };
    if (!("whenUp" in connection)) this.#lazy = connection;
    else {
      this.#lazy = { address: connection.address, open: () => Promise.resolve(connection) };
      this.#connection = connection;
      this.#opening = Promise.resolve(connection);
    }
  }

  /** The current address, or the one to connect to; for messages. */
  get address(): string {
    return this.#connection?.address ?? this.#lazy.address;
  }

  /** The current client; `undefined` while there is no connection. */
  get client(): Redis | undefined {
    return this.#connection?.client;
  }

  /** Changes with each new connection. */
  get number(): number {
    return this.#connection?.number ?? 0;
  }

  get disconnects(): number {
    return this.#connection?.disconnects ?? 0;
  }

  /** How often a lost connection came back. */
  get reconnects(): number {
    return Math.max(this.number - 1, 0);
  }

  /**
   * Sends until there is an answer.
   *
   * @param send called for each attempt; it may send several commands in a row
   * @param takesMs how long the commands may take by themselves
   * @throws as {@link run} does
   */
  ask<T>(send: (client: Redis) => Promise<T>, takesMs = 0): Promise<T> {
    return this.run(({ client, answer }) => answer(send(client), takesMs));
  }

  /**
   * Runs `use`, and runs it again from its start whenever the connection is lost or Redis refuses for now.
   *
   * @throws RedisClosedError if it is closed, before or during the call
   * @throws RedisError if Redis refuses for good, if the first connection cannot be opened, and at the limit; what `use`
   *   itself throws
   */
  async run<T>(use: (attempt: Attempt) => Promise<T>, { limit, log }: RetryOptions = {}): Promise<T> {
    const { time, random } = this.#settings;
    const deadline = new Deadline(time, limit);
    const reminder = new Reminder(time, log ?? this.#log);
    for (let number = 0; ; number += 1) {
      let client: Redis | undefined;
      try {
        const connection = await this.#connected(deadline);
        client = await this.#inTime(connection.whenUp(), deadline, () => connection.trouble);
        const result = await use(this.#attempt(connection, client, deadline));
        reminder.over(this.address);
        return result;
      } catch (error) {
        if (error instanceof LimitReached) throw error.reason;
        const failure = this.#explain(error);
        deadline.refusal = isReply(error) ? failure : undefined;
        if (this.#closing.signal.aborted) throw this.#closed();
        if (!this.#reached.yet) throw error;
        if (!failure.retryable) throw failure;
        // A lost connection is logged by the connection.
        if (client !== undefined && needsNewConnection(error)) this.#connection?.discard(client, error);
        else reminder.waits(failure, this.address);
        const delayMs = backOffMs(number, CONNECT_BACK_OFF, random);
        if (delayMs >= deadline.leftMs) throw deadline.error(failure);
        await pause(time, delayMs, this.#closing.signal);
      }
    }
  }

  /** Rejects the calls that wait, and closes the connection. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(this.#closed());
    const opening = this.#opening;
    this.#opening = undefined;
    await opening?.then(
      (connection) => connection.close(),
      () => undefined,
    );
  }

  async #connected(deadline: Deadline): Promise<RedisConnection> {
    this.#closing.signal.throwIfAborted();
    const opening = this.#opening ?? this.#open();
    if (this.#reached.yet) return this.#inTime(opening, deadline, () => undefined);
    // Only `connectTimeoutMs` limits the first connection; the limit of the call starts once it is open.
    const connection = await opening;
    this.#reached.yet = true;
    deadline.renew();
    return connection;
  }

  #open(): Promise<RedisConnection> {
    const opening = this.#lazy.open(this.#closing.signal);
    this.#opening = opening;
    opening.then(
      (connection) => {
        this.#connection = connection;
      },
      () => {
        if (this.#opening === opening) this.#opening = undefined;
      },
    );
    return opening;
  }

  #attempt(connection: RedisConnection, client: Redis, deadline: Deadline): Attempt {
    const { time } = this.#settings;
    const watch = (takesMs = 0): AnswerWatch => watchAnswers(connection, client, time, takesMs);
    const answer = async <T>(reply: Promise<T>, takesMs?: number): Promise<T> => {
      const watched = watch(takesMs);
      const overdue = (): undefined => {
        connection.discard(client, silence(connection.address));
      };
      try {
        const answered = await this.#inTime(reply, deadline, overdue);
        deadline.renew();
        return answered;
      } catch (error) {
        throw watched.overdue ?? error;
      } finally {
        watched.end();
      }
    };
    return { address: connection.address, client, answer, watch };
  }

  /**
   * Waits until the deadline at most.
   *
   * @param overdue called when it takes longer; returns why, if that is known
   * @throws LimitReached; the closing signal's reason
   */
  async #inTime<T>(
    promise: Promise<T>,
    deadline: Deadline,
    overdue: () => RedisError | undefined,
  ): Promise<T> {
    const result = await withTimeout(promise, deadline.leftMs, this.#settings.time, this.#closing.signal);
    if (result === TIMED_OUT)
      throw new LimitReached(deadline.error(overdue() ?? deadline.refusal ?? silence(this.address)));
    return result;
  }

  /** @throws the error itself if it comes neither from Redis nor from the connection */
  #explain(error: unknown): RedisError {
    const { explain, key } = this.#settings;
    if (explain !== undefined) return explain(error, this.address);
    return explainFailure(error, this.address, key === undefined ? {} : { key });
  }

  /** The log of a call that brings none. */
  readonly #log: WaitLog = {
    afterMs: 0,
    waits: ({ message, code }, redis, waitedMs) => {
      const { logger, step } = this.#settings;
      const lasts = waitedMs < REMIND_MS ? "." : `, for ${Math.round(waitedMs / 1_000)} s now.`;
      logger.warn(
        { event: "redis-not-ready", redis, ...(step === undefined ? {} : { step }), code, waitedMs },
        `${message} Trying again until it is${lasts}`,
      );
    },
  };

  #closed(): RedisClosedError {
    return new RedisClosedError(`The connection to Redis at ${this.address} is closed.`);
  }
}

/** A server that answered can be asked again, unless another one has to answer. */
function needsNewConnection(error: unknown): boolean {
  return !isReply(error) || isWrongNode(error);
}

function silence(address: string): RedisError {
  return new RedisUnreachableError(`Redis at ${address} does not answer.`);
}

/** A call has reached its limit. It is not retryable, even if its reason is. */
class LimitReached extends Error {
  readonly reason: RedisError;

  constructor(reason: RedisError) {
    super(reason.message);
    this.reason = reason;
  }
}

/** Until when a call is retried, and why Redis refuses it. */
class Deadline {
  /** The last attempt's refusal, if it had a reply. It says more than that the attempt in flight has none yet. */
  refusal: RedisError | undefined;
  readonly #time: TimeProvider;
  readonly #limit: RetryLimit | undefined;
  #at = Infinity;

  constructor(time: TimeProvider, limit: RetryLimit | undefined) {
    this.#time = time;
    this.#limit = limit;
    this.renew();
  }

  /** Redis has answered. */
  renew(): void {
    this.refusal = undefined;
    this.#at = this.#time.monotonic() + (this.#limit?.afterMs ?? Infinity);
  }

  get leftMs(): number {
    return Math.max(this.#at - this.#time.monotonic(), 0);
  }

  error(reason: RedisError): RedisError {
    return this.#limit?.error(reason) ?? reason;
  }
}

/** Logs at intervals that a call waits, and once that the wait is over. */
class Reminder {
  readonly #time: TimeProvider;
  readonly #log: WaitLog;
  readonly #since: number;
  #nextAt: number;
  #logged = false;

  constructor(time: TimeProvider, log: WaitLog) {
    this.#time = time;
    this.#log = log;
    this.#since = time.monotonic();
    this.#nextAt = this.#since + log.afterMs;
  }

  waits(reason: RedisError, address: string): void {
    const now = this.#time.monotonic();
    if (now < this.#nextAt) return;
    this.#nextAt = now + REMIND_MS;
    this.#logged = true;
    this.#log.waits(reason, address, Math.round(now - this.#since));
  }

  over(address: string): void {
    if (this.#logged) this.#log.over?.(address, Math.round(this.#time.monotonic() - this.#since));
  }
}
