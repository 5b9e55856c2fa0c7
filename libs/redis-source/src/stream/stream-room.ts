import { pause } from "@millrace/dataflow";
import type { PartContext } from "@millrace/dataflow";
import type { RetryingClient } from "../connection/retrying-client.ts";
import { StreamFullError } from "../errors.ts";
import type { Room } from "../sink/transport.ts";

// Redis does not announce that a stream was trimmed, so it has to be polled. Readers trim about once a second.
const POLL_MS = 50;

/**
 * What happens when a stream has `maxStreamLength` entries.
 *
 * - `wait`: rows wait until a reader has trimmed the stream. Nothing is lost; the source gets backpressure.
 * - `trim`: the oldest entries are deleted, read or not. Redis deletes whole nodes, so some more may stay.
 * - `fail`: the write fails with a StreamFullError.
 */
export type StreamFullPolicy = "wait" | "trim" | "fail";

/** The limit of the entries of one stream. */
export interface StreamLimit {
  readonly maxLength: number;
  readonly whenFull: StreamFullPolicy;
}

/** How many more entries a stream may take. With several writers it may exceed the limit by what all of them have in flight. */
export class StreamRoom implements Room {
  readonly #stream: string;
  readonly #redis: RetryingClient;
  readonly #limit: StreamLimit;
  readonly #context: PartContext;
  readonly #closing = new AbortController();
  #left = 0;
  #waits = 0;

  constructor(stream: string, redis: RetryingClient, limit: StreamLimit, context: PartContext) {
    this.#stream = stream;
    this.#redis = redis;
    this.#limit = limit;
    this.#context = context;
  }

  get waits(): number {
    return this.#waits;
  }

  /**
   * Reserves room for up to `wanted` entries, and waits while there is none.
   *
   * @returns how many entries there is room for, at least 1
   * @throws StreamFullError with the policy `fail`; RedisError
   */
  async take(wanted: number): Promise<number> {
    if (this.#left === 0) await this.#look();
    const taken = Math.min(wanted, this.#left);
    this.#left -= taken;
    return taken;
  }

  /** Ends a wait; the next command on the closed client fails. */
  close(): void {
    this.#closing.abort();
  }

  async #look(): Promise<void> {
    const { time, logger, step } = this.#context;
    const { maxLength, whenFull } = this.#limit;
    for (let since: number | undefined; ;) {
      const length = await this.#redis.ask((client) => client.xlen(this.#stream));
      this.#left = Math.max(maxLength - length, 0);
      if (this.#left > 0) {
        if (since === undefined) return;
        logger.info(
          { event: "stream-room", stream: this.#stream, step, waitedMs: time.monotonic() - since },
          `there is room in stream ${this.#stream} again`,
        );
        return;
      }
      if (whenFull === "fail") throw this.#full(length);
      if (since === undefined) {
        since = time.monotonic();
        this.#waits += 1;
        logger.warn(
          { event: "stream-full", stream: this.#stream, step, length },
          `stream ${this.#stream} is full (${length} entries): waiting until a reader has trimmed it`,
        );
      }
      await pause(time, POLL_MS, this.#closing.signal);
    }
  }

  #full(length: number): StreamFullError {
    return new StreamFullError(
      `Stream "${this.#stream}" has ${length} entries; at most ${this.#limit.maxLength} are allowed. Let its readers trim it, raise ` +
        "maxStreamLength, or choose another whenFull policy.",
    );
  }
}
