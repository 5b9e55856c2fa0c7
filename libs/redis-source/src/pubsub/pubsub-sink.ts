import type { Json, PartContext, Sink, SinkPartition } from "@millrace/dataflow";
import { resolveTarget } from "../connection/connection-options.ts";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { explainFailure } from "../connection/explain-failure.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";
import { RedisOptionsError } from "../errors.ts";
import { publishAll } from "./publish-all.ts";

/** Options of {@link RedisPubSubSink}. */
export interface RedisPubSubSinkOptions {
  /** Where every row is published, one message each. */
  readonly channel: string;
  /** Bytes sent to Redis and not yet answered; a larger row goes alone. `@default 262_144 (256 KiB)` */
  readonly maxInFlightBytes?: number;
  /** Called with the counts so far whenever Redis has answered, many rows at a time. It must not throw. */
  readonly onProgress?: (stats: PublishStats) => void;
}

/** What a sink has published, all partitions together. */
export interface PublishStats {
  /** Rows that Redis has taken. */
  readonly published: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Rows among them that no subscriber got: PUBLISH answered 0. On a cluster it counts one node's subscribers only. */
  readonly unheard: number;
  /** Rows sent again because the connection was lost before their answer; a subscriber may have got them twice. */
  readonly resent: number;
  /** How often a connection was lost. */
  readonly disconnects: number;
}

/** A row: text, or bytes that are published exactly as they are. */
export type PublishRow = string | Uint8Array;

const DEFAULT_MAX_IN_FLIGHT_BYTES = 256 * 1_024;

/**
 * Publishes each row as one message on a Pub/Sub channel, in order.
 *
 * A write resolves when Redis has answered for every row of it. When the connection is lost, the sink waits for
 * the next one and goes on with the first unanswered row: nothing is left out, and what was taken just before the
 * loss may be published twice.
 */
export class RedisPubSubSink implements Sink<PublishRow> {
  readonly #connection: RedisConnectionOptions;
  readonly #options: RedisPubSubSinkOptions;
  readonly #open = new Set<RedisConnection>();
  #published = 0;
  #bytes = 0;
  #unheard = 0;
  #resent = 0;
  #pastDisconnects = 0;

  /** @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisPubSubSinkOptions) {
    resolveTarget(connection);
    const { channel, maxInFlightBytes = DEFAULT_MAX_IN_FLIGHT_BYTES } = options;
    if (channel === "") throw new RedisOptionsError("A Pub/Sub sink publishes on a channel: give its name.");
    if (!Number.isSafeInteger(maxInFlightBytes) || maxInFlightBytes < 1) {
      throw new RedisOptionsError(
        `maxInFlightBytes is ${maxInFlightBytes}. Give a whole number of at least 1.`,
      );
    }
    this.#connection = connection;
    this.#options = options;
  }

  /** @throws RedisError when there is no usable Redis within `connectTimeoutMs`; the reason of the context's signal */
  async buildPart(
    _part: string,
    _resume: Json | undefined,
    context: PartContext,
  ): Promise<SinkPartition<PublishRow>> {
    const { channel } = this.#options;
    const connection = await connectRedis(this.#connection, {
      role: `sink ${channel}`,
      logger: context.logger,
      time: context.time,
      signal: context.signal,
    });
    this.#open.add(connection);
    return {
      writeBatch: (rows) => this.#write(connection, rows),
      close: async () => {
        if (this.#open.delete(connection)) this.#pastDisconnects += connection.disconnects;
        await connection.close();
      },
    };
  }

  /** What was published so far. */
  stats(): PublishStats {
    let disconnects = this.#pastDisconnects;
    for (const connection of this.#open) disconnects += connection.disconnects;
    return {
      published: this.#published,
      bytes: this.#bytes,
      unheard: this.#unheard,
      resent: this.#resent,
      disconnects,
    };
  }

  async #write(connection: RedisConnection, rows: readonly PublishRow[]): Promise<void> {
    const { channel, maxInFlightBytes = DEFAULT_MAX_IN_FLIGHT_BYTES, onProgress } = this.#options;
    let next = 0;
    while (next < rows.length) {
      const client = await connection.whenUp();
      const { sent, failure } = await publishAll(client, channel, rows, next, maxInFlightBytes, (answer) => {
        next += answer.rows;
        this.#published += answer.rows;
        this.#bytes += answer.bytes;
        this.#unheard += answer.unheard;
        onProgress?.(this.stats());
      });
      if (failure === undefined) return;
      const reason = explainFailure(failure, connection.address);
      if (!reason.retryable) throw reason;
      connection.discard(client);
      this.#resent += sent - next;
    }
  }
}
