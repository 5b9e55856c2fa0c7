import type { Redis } from "ioredis";
import { pause } from "@millrace/dataflow";
import type { PartContext } from "@millrace/dataflow";
import { watchAnswers } from "../connection/answer-limit.ts";
import { CONNECT_BACK_OFF, backOffMs } from "../connection/back-off.ts";
import { explainFailure, isReply, isWrongNode } from "../connection/explain-failure.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";
import { unlessAborted } from "../connection/unless-aborted.ts";
import { RedisClosedError } from "../errors.ts";
import type { RedisError } from "../errors.ts";

/** As long as Redis refuses for the moment, it is said again after this. */
const REMIND_MS = 30_000;

/**
 * A way to one stream for commands that bear to be sent again: they are, until Redis answers. The link closes its
 * connection.
 */
export class StreamLink {
  readonly #stream: string;
  readonly #connection: RedisConnection;
  readonly #context: PartContext;
  readonly #shared: boolean;
  readonly #closing = new AbortController();

  /**
   * @param connection to the node that serves the stream
   * @param shared others use the connection as well, and closing the link leaves it to them
   */
  constructor(stream: string, connection: RedisConnection, context: PartContext, shared = false) {
    this.#shared = shared;
    this.#stream = stream;
    this.#connection = connection;
    this.#context = context;
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
   * @param send called for each attempt; it may send several commands in a row, and call `answered` after each answer
   * @param takesMs how long the commands may take by themselves
   * @throws RedisClosedError when closed, before or meanwhile
   * @throws RedisError when Redis refuses for good
   */
  async ask<T>(send: (client: Redis, answered: () => void) => Promise<T>, takesMs = 0): Promise<T> {
    const { time } = this.#context;
    const from = time.monotonic();
    let saidAt = Number.NEGATIVE_INFINITY;
    for (let attempt = 0; ; attempt += 1) {
      const client = await this.#connection.whenUp();
      const watch = watchAnswers(this.#connection, client, time, takesMs);
      try {
        const answer = send(client, () => {
          watch.answered();
        });
        // With a connection of its own, closing it rejects what is not answered.
        const answered = await (this.#shared ? unlessAborted(answer, this.#closing.signal) : answer);
        watch.end();
        return answered;
      } catch (error) {
        watch.end();
        const failure = explainFailure(error, this.#connection.address, { key: this.#stream });
        if (this.#closing.signal.aborted) throw this.#closed();
        if (!failure.retryable) throw failure;
        if (isReply(error) && !isWrongNode(error)) {
          const now = time.monotonic();
          if (now >= saidAt + REMIND_MS) {
            this.#say(failure, now - from);
            saidAt = now;
          }
        } else this.#connection.discard(client, error);
        await pause(time, backOffMs(attempt, CONNECT_BACK_OFF), this.#closing.signal);
      }
    }
  }

  /** Settles whoever asks. Idempotent. */
  close(): Promise<void> {
    this.#closing.abort(this.#closed());
    return this.#connection.close();
  }

  #say(failure: RedisError, waitedMs: number): void {
    const { logger, step } = this.#context;
    logger.warn(
      { event: "redis-not-ready", redis: this.#connection.address, step, code: failure.code, waitedMs },
      `${failure.message} Trying again until it is` +
        (waitedMs < REMIND_MS ? "." : `, for ${Math.round(waitedMs / 1_000)} s now.`),
    );
  }

  #closed(): RedisClosedError {
    return new RedisClosedError(`The connection to Redis at ${this.#connection.address} is closed.`);
  }
}
