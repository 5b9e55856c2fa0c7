import type { Json, PartContext, Sink, SinkPartition, StartContext } from "@millrace/dataflow";
import { resolveTarget } from "../connection/connection-options.ts";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import { RetryingClient } from "../connection/retrying-client.ts";
import { PublishLane } from "../pubsub/publish-lane.ts";
import { PublishParts } from "../pubsub/publish-part.ts";
import type { PublishRow } from "../pubsub/pubsub-sink-options.ts";
import { resolveStreamSinkOptions } from "./stream-sink-options.ts";
import type { RedisStreamSinkOptions, StreamSinkSettings, StreamSinkStats } from "./stream-sink-options.ts";
import { StreamWriter } from "./stream-writer.ts";
import type { WriteCounts } from "./stream-writer.ts";

/**
 * Adds rows to Redis Streams, in order: each as an entry, or packed into frames. Each partition has a connection of
 * its own.
 *
 * A write resolves when Redis has taken every message that it completed, a flush when it has taken every row. When a
 * connection is lost, the sink waits for the next one and sends again what has no answer: nothing is left out, and what
 * was taken just before the loss may be in the stream twice. Frames keep their numbers, so a {@link RedisStreamSource}
 * drops the repetition. Write and flush reject when Redis refuses for good, and when the signal of the context is
 * aborted.
 */
export class RedisStreamSink implements Sink<PublishRow> {
  readonly #connection: RedisConnectionOptions;
  readonly #settings: StreamSinkSettings;
  readonly #parts: PublishParts;
  #counts: WriteCounts = { published: 0, entries: 0, bytes: 0, resent: 0 };

  /** @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisStreamSinkOptions) {
    resolveTarget(connection);
    this.#connection = connection;
    this.#settings = resolveStreamSinkOptions(options);
    this.#parts = new PublishParts(connection, { ...this.#settings, transport: "stream" });
  }

  /**
   * Looks whether there is a Redis and which partition layout is recorded there. To open the sink would say more: a
   * publisher that begins, and ends again, is heard by readers.
   *
   * @throws PartitionLayoutError when a publisher has recorded another partition layout; RedisError when there is no
   *   usable Redis within `connectTimeoutMs`; the reason of the context's signal
   */
  checkResume(_part: string, _resume: Json | undefined, context: StartContext): Promise<void> {
    return this.#parts.check(context);
  }

  /**
   * @throws PartitionLayoutError when a publisher has recorded another partition layout; RedisError when there is no
   *   usable Redis within `connectTimeoutMs`; the reason of the context's signal
   */
  buildPart(
    _part: string,
    _resume: Json | undefined,
    context: PartContext,
  ): Promise<SinkPartition<PublishRow>> {
    return this.#parts.build(context, async (stream, framing) => {
      const { logger, time, signal } = context;
      const role = `sink ${stream}`;
      const connection = await connectRedis(this.#connection, { role, key: stream, logger, time, signal });
      const redis = new RetryingClient(connection, { ...context, key: stream });
      const writer = new StreamWriter(stream, redis, this.#settings, context, (counts) => {
        this.#count(counts);
      });
      return PublishLane.open(writer, framing, context);
    });
  }

  /** Counts so far; complete when the run is over. */
  stats(): StreamSinkStats {
    return { ...this.#counts, ...this.#parts.stats() };
  }

  #count({ published, entries, bytes, resent }: WriteCounts): void {
    const before = this.#counts;
    this.#counts = {
      published: before.published + published,
      entries: before.entries + entries,
      bytes: before.bytes + bytes,
      resent: before.resent + resent,
    };
    this.#settings.onProgress?.(this.stats());
  }
}
