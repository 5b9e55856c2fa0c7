import type { Redis } from "ioredis";
import { pause } from "@millrace/dataflow";
import type { PartContext } from "@millrace/dataflow";
import { watchAnswers } from "../connection/answer-limit.ts";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { explainFailure, isReply, isWrongNode } from "../connection/explain-failure.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";
import { RedisClosedError } from "../errors.ts";
import type { RedisError } from "../errors.ts";

/** A condition such as a failover is looked at again after this. */
const RETRY_MS = 100;

/**
 * A connection for commands that bear to be sent again: they are, on the next connection, until Redis answers. On a
 * cluster they go to the node that serves the stream.
 */
export class StreamLink {
  readonly #stream: string;
  readonly #connection: RedisConnection;
  readonly #context: PartContext;
  readonly #closing = new AbortController();

  private constructor(stream: string, connection: RedisConnection, context: PartContext) {
    this.#stream = stream;
    this.#connection = connection;
    this.#context = context;
  }

  /** @throws RedisError; the reason of the context's signal */
  static async open(
    options: RedisConnectionOptions,
    stream: string,
    role: string,
    context: PartContext,
  ): Promise<StreamLink> {
    const { logger, time, signal } = context;
    const connection = await connectRedis(options, { role, logger, time, signal, key: stream });
    return new StreamLink(stream, connection, context);
  }

  /** Whether there is a connection right now. */
  get up(): boolean {
    return this.#connection.client !== undefined;
  }

  /** Changes with each new connection. */
  get number(): number {
    return this.#connection.number;
  }

  get disconnects(): number {
    return this.#connection.disconnects;
  }

  /**
   * Sends until there is an answer.
   *
   * @param send called for each attempt; it may send several commands in a row
   * @param takesMs how long the commands may take by themselves
   * @throws RedisClosedError when closed, before or meanwhile
   * @throws RedisError when Redis refuses for good
   */
  async ask<T>(send: (client: Redis) => Promise<T>, takesMs = 0): Promise<T> {
    for (let told = false; ;) {
      const client = await this.#connection.whenUp();
      try {
        return await this.#answered(client, send(client), takesMs);
      } catch (error) {
        const failure = explainFailure(error, this.#connection.address, this.#stream);
        if (this.#closing.signal.aborted) throw this.#closed();
        if (!failure.retryable) throw failure;
        if (isReply(error) && !isWrongNode(error)) {
          if (!told) this.#tell(failure);
          told = true;
        } else this.#connection.discard(client, error);
        await pause(this.#context.time, RETRY_MS, this.#closing.signal);
      }
    }
  }

  /** Settles whoever asks. Idempotent. */
  close(): Promise<void> {
    this.#closing.abort();
    return this.#connection.close();
  }

  async #answered<T>(client: Redis, answer: Promise<T>, takesMs: number): Promise<T> {
    const watch = watchAnswers(this.#connection, client, this.#context.time, takesMs);
    try {
      return await answer;
    } finally {
      watch.end();
    }
  }

  #tell(failure: RedisError): void {
    const { logger, step } = this.#context;
    logger.warn(
      { event: "redis-not-ready", redis: this.#connection.address, step, code: failure.code },
      `${failure.message} Trying again until it is.`,
    );
  }

  #closed(): RedisClosedError {
    return new RedisClosedError(`The connection to Redis at ${this.#connection.address} is closed.`);
  }
}
