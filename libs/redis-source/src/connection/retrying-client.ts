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

/** As long as Redis refuses for the moment, the log says so again after this. */
const REMIND_MS = 30_000;

/** How a {@link RetryingClient} works. */
export interface RetrySettings {
  readonly logger: Logger;
  readonly time: TimeProvider;
  /** The step that it works for: in the log. `@default none` */
  readonly step?: string;
  /** The key that commands are about, for messages. `@default none` */
  readonly key?: string;
  /**
   * Whether a connection has stood. Before that, one that cannot be opened fails the call; after it, that is an outage
   * that is waited out. `@default of this client alone`
   */
  readonly reached?: { yet: boolean };
  /**
   * Says why a command failed. It throws the error itself where that is neither Redis' nor the connection's.
   * `@default explainFailure`
   */
  readonly explain?: (error: unknown, address: string) => RedisError;
  /** A number from 0 to 1, for the delays. `@default Math.random` */
  readonly random?: () => number;
}

/** How one call is sent again. */
export interface RetryOptions {
  /** Gives up when Redis has answered nothing for so long. `@default never` */
  readonly limit?: RetryLimit;
  /** @default `redis-not-ready` at once, and every 30 s */
  readonly log?: WaitLog;
}

/** How long a call is sent again. */
export interface RetryLimit {
  /** Since Redis answered last, ms. */
  readonly afterMs: number;
  /** The error of a call that is given up. */
  readonly error: (reason: RedisError) => RedisError;
}

/** What the log has of a call that Redis refuses for the moment. A lost connection is logged by the connection. */
export interface WaitLog {
  /** Trouble that lasts so long (ms) is logged first, and then again after each 30 s. */
  readonly afterMs: number;
  /** Called when the call still waits: first after `afterMs`, then every 30 s. */
  waits(reason: RedisError, address: string, waitedMs: number): void;
  /** Called for an answer after `waits`. */
  over?(address: string, waitedMs: number): void;
}

/** One connection in use: what it sends is sent again from the start when it is lost. */
export interface Attempt {
  /** Where it leads, for people. */
  readonly address: string;
  readonly client: Redis;
  /**
   * Waits for an answer, but not for ever: a server that answers nothing for 8 s is given up, and with it the connection.
   *
   * @param takesMs how long the command may take by itself; `@default 0`
   */
  readonly answer: <T>(reply: Promise<T>, takesMs?: number) => Promise<T>;
  /** The same limit for several answers: each begins it anew. */
  readonly watch: () => AnswerWatch;
}

/** A connection that is opened when it is needed first, and after an attempt in vain. */
export interface LazyConnection {
  /** Where it will lead, for people. */
  readonly address: string;
  /** Opens it. */
  readonly open: (signal: AbortSignal) => Promise<RedisConnection>;
}

/**
 * Sends commands until Redis answers: it waits out restarts and failovers, and sends again what got no answer. So all
 * that is sent must be idempotent. This is the one loop that sends commands again; the connection below it only comes
 * back.
 */
export class RetryingClient {
  readonly #lazy: LazyConnection;
  readonly #settings: RetrySettings;
  readonly #reached: { yet: boolean };
  readonly #closing = new AbortController();
  #connection: RedisConnection | undefined;
  #opening: Promise<RedisConnection> | undefined;

  /** @param connection is closed with this client */
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

  /** Where it leads now, or will lead; for people. */
  get address(): string {
    return this.#connection?.address ?? this.#lazy.address;
  }

  /** The client of now; `undefined` while there is no connection. */
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
   * Runs `use`, again from its start whenever the connection is lost or Redis refuses for the moment.
   *
   * @throws RedisClosedError when closed, before or meanwhile
   * @throws RedisError when Redis refuses for good, when the first connection cannot be opened, and at the limit; what
   *   `use` itself throws
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

  /** Settles whoever asks, and closes the connection. Idempotent. */
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
    // Only `connectTimeoutMs` bounds the first connection; the limit begins with it.
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
   * Waits no longer than until the deadline.
   *
   * @param overdue called when it takes longer; why, where that is known
   * @throws LimitReached; the closing signal's reason
   */
  async #inTime<T>(
    promise: Promise<T>,
    deadline: Deadline,
    overdue: () => RedisError | undefined,
  ): Promise<T> {
    const result = await withTimeout(promise, deadline.leftMs, this.#settings.time, this.#closing.signal);
    if (result === TIMED_OUT) throw new LimitReached(deadline.error(overdue() ?? silence(this.address)));
    return result;
  }

  /** @throws the error itself where it is neither Redis' nor the connection's */
  #explain(error: unknown): RedisError {
    const { explain, key } = this.#settings;
    if (explain !== undefined) return explain(error, this.address);
    return explainFailure(error, this.address, key === undefined ? {} : { key });
  }

  /** What the log has where a call has no other. */
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

/** A call has reached its limit. It is no retryable failure, whatever its reason says of itself. */
class LimitReached extends Error {
  readonly reason: RedisError;

  constructor(reason: RedisError) {
    super(reason.message);
    this.reason = reason;
  }
}

/** Until when a call is sent again. */
class Deadline {
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
    this.#at = this.#time.monotonic() + (this.#limit?.afterMs ?? Infinity);
  }

  get leftMs(): number {
    return Math.max(this.#at - this.#time.monotonic(), 0);
  }

  error(reason: RedisError): RedisError {
    return this.#limit?.error(reason) ?? reason;
  }
}

/** Logs that a call waits every so often, and that it does no more. */
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
